/** Passkeys in this browser: the server's options in, the phone's or key's answer out. Knows no pages and no words. */

import * as api from "../api/client";

export type PasskeyTrouble = "missing" | "locked" | "over" | "refused" | "limited" | "unreachable";

const known = (): boolean =>
  typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

function troubleOf(cause: unknown): PasskeyTrouble {
  if (cause instanceof api.Unreachable) return "unreachable";
  if (cause instanceof api.ApiError) {
    if (cause.status === 429) return "limited";
    if (cause.code === "invitation_invalid") return "over";
    return cause.code === "user_not_verified" ? "locked" : "refused";
  }
  // The person closed the question, or did not unlock the passkey in time.
  return cause instanceof DOMException && cause.name === "NotAllowedError" ? "locked" : "refused";
}

const answer = (credential: Credential | null): unknown => {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no answer", "NotAllowedError");
  return credential.toJSON();
};

/** Signs in with whichever passkey the person has; null when it went well. */
export async function signInWithPasskey(): Promise<PasskeyTrouble | null> {
  if (!known()) return "missing";
  try {
    const begun = await api.beginSignIn();
    const options = begun.options.publicKey as PublicKeyCredentialRequestOptionsJSON;
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey });
    await api.finishSignIn(begun.ceremony, answer(credential));
    return null;
  } catch (cause) {
    return troubleOf(cause);
  }
}

/** Makes the passkey that an invitation is for; null when it went well. */
export async function signUpWithPasskey(invitation: string, name: string): Promise<PasskeyTrouble | null> {
  if (!known()) return "missing";
  try {
    const begun = await api.beginSignUp(invitation);
    const options = begun.options.publicKey as PublicKeyCredentialCreationOptionsJSON;
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    const credential = await navigator.credentials.create({ publicKey });
    await api.finishSignUp(begun.ceremony, answer(credential), name);
    return null;
  } catch (cause) {
    return troubleOf(cause);
  }
}
