/** Who is signed in. The token itself is never kept: it is traded for a cookie that scripts cannot read. */

import { signal } from "@preact/signals";
import * as api from "../api/client";
import type { Me } from "../api/types";

export type SignInError = "refused" | "limited" | "unreachable" | "server" | "ended" | null;

export type Session = { kind: "starting" } | { kind: "out"; error: SignInError } | { kind: "in"; me: Me };

export const session = signal<Session>({ kind: "starting" });

/** The code of an invitation that the address carried. */
export const invitation = signal<string | null>(null);

/** Takes a token or an invitation out of the address, before anything else can read or store it there. */
function tokenFromFragment(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  const invited = fragment.get("invitation");
  if (invited !== null) invitation.value = invited;
  if (token !== null || invited !== null) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

function errorOf(cause: unknown): SignInError {
  if (!(cause instanceof api.ApiError)) return "unreachable";
  if (cause.status === 429) return "limited";
  return cause.status >= 500 ? "server" : "refused";
}

/** Signs in with the token in the address if there is one, otherwise with the cookie if there is one. */
export async function startSession(): Promise<void> {
  // A demo link that is opened in a tab of ours changes the fragment only: nothing loads anew.
  window.addEventListener("hashchange", () => {
    const later = tokenFromFragment();
    if (later === null) {
      if (invitation.value !== null) session.value = { kind: "out", error: null };
      return;
    }
    session.value = { kind: "starting" };
    void signIn(later);
  });
  const token = tokenFromFragment();
  if (token !== null) return signIn(token);
  if (invitation.value !== null) {
    session.value = { kind: "out", error: null };
    return;
  }
  try {
    session.value = { kind: "in", me: await api.me() };
  } catch (cause) {
    const unknown = cause instanceof api.ApiError && cause.status === 401;
    session.value = { kind: "out", error: unknown ? null : errorOf(cause) };
  }
}

/** Trades the token for a session and asks who that is. */
export async function signIn(token: string): Promise<void> {
  try {
    await api.signIn(token);
    session.value = { kind: "in", me: await api.me() };
  } catch (cause) {
    session.value = { kind: "out", error: errorOf(cause) };
  }
}

/** Somebody signed in with a passkey: asks who that is. */
export async function signedIn(): Promise<void> {
  invitation.value = null;
  session.value = { kind: "in", me: await api.me() };
}

/** Ends the session; false when the server did not confirm, and then we are still signed in. */
export async function signOut(): Promise<boolean> {
  try {
    await api.signOut();
  } catch (cause) {
    if (!(cause instanceof api.ApiError && cause.status === 401)) return false;
  }
  session.value = { kind: "out", error: null };
  return true;
}

/** The server no longer knows the session: it ran out, or was ended elsewhere. */
export function sessionEnded(): void {
  session.value = { kind: "out", error: "ended" };
}
