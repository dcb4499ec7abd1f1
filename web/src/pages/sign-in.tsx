/** Signs in with a passkey, makes the passkey that one was invited to, or trades a token for a session. */

import { useSignal } from "@preact/signals";
import { words } from "../i18n/index";
import { type PasskeyTrouble, signInWithPasskey, signUpWithPasskey } from "../ui/passkey";
import { invitation, session, signIn, signedIn } from "../ui/session";
import { useTitle } from "../ui/title";

function problem(empty: boolean): string | null {
  const now = session.value;
  const { signIn: text, errors } = words();
  if (empty) return text.empty;
  if (now.kind !== "out" || now.error === null) return null;
  if (now.error === "refused") return text.refused;
  if (now.error === "ended") return text.ended;
  if (now.error === "limited") return text.limited;
  return now.error === "server" ? errors.server : errors.unreachable;
}

function inWords(trouble: PasskeyTrouble | null): string | null {
  const { signIn: text, errors } = words();
  if (trouble === null) return null;
  const said = {
    missing: text.passkeyMissing,
    locked: text.passkeyLocked,
    over: text.invitationOver,
    refused: text.passkeyRefused,
    limited: text.limited,
    unreachable: errors.unreachable,
  };
  return said[trouble];
}

/** Signs in with whichever passkey the person has. */
function PasskeyButton() {
  const text = words().signIn;
  const working = useSignal(false);
  const trouble = useSignal<PasskeyTrouble | null>(null);

  async function ask(): Promise<void> {
    if (working.value) return;
    working.value = true;
    trouble.value = await signInWithPasskey();
    working.value = false;
    if (trouble.value === null) await signedIn();
  }

  return (
    <>
      <button class="main" type="button" data-passkey aria-disabled={working.value} onClick={() => void ask()}>
        {working.value ? text.working : text.passkey}
      </button>
      <p class="quiet small">{text.passkeyHint}</p>
      <p class="wrong" role="alert" data-passkey-trouble>
        {inWords(trouble.value)}
      </p>
    </>
  );
}

/** Makes the passkey that an invitation is for. */
function InvitedPage({ code }: { code: string }) {
  const text = words().signIn;
  useTitle(text.invitedTitle);
  const working = useSignal(false);
  const empty = useSignal(false);
  const trouble = useSignal<PasskeyTrouble | null>(null);

  async function submit(event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("device") as HTMLInputElement;
    const name = field.value.trim();
    empty.value = name === "";
    if (working.value || empty.value) return;
    working.value = true;
    trouble.value = await signUpWithPasskey(code, name);
    working.value = false;
    if (trouble.value === null) await signedIn();
  }

  return (
    <form class="sign-in panel" onSubmit={submit} noValidate>
      <h1>{text.invitedTitle}</h1>
      <p class="quiet">{text.invitedLead}</p>
      <label for="device">{text.deviceName}</label>
      <input id="device" name="device" maxLength={60} autocomplete="off" aria-describedby="device-trouble" />
      <p id="device-trouble" class="wrong" role="alert" data-passkey-trouble>
        {empty.value ? text.needName : inWords(trouble.value)}
      </p>
      <button class="main" type="submit" aria-disabled={working.value}>
        {working.value ? text.working : text.makePasskey}
      </button>
    </form>
  );
}

export function SignInPage() {
  const code = invitation.value;
  return code === null ? <KnownPage /> : <InvitedPage code={code} />;
}

function KnownPage() {
  const text = words().signIn;
  useTitle(text.title);
  const working = useSignal(false);
  const empty = useSignal(false);
  const trouble = problem(empty.value);

  async function submit(event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("token") as HTMLInputElement;
    const token = field.value.trim();
    empty.value = token === "";
    if (working.value || empty.value) return;
    working.value = true;
    await signIn(token);
    working.value = false;
    field.value = "";
    field.focus();
  }

  return (
    <form class="sign-in panel" onSubmit={submit} noValidate>
      <h1>{text.title}</h1>
      <p class="quiet">{text.lead}</p>
      <PasskeyButton />
      <h2 class="quiet small">{text.orToken}</h2>
      <label for="token">{text.token}</label>
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        aria-describedby="token-hint token-trouble"
        aria-invalid={trouble !== null}
      />
      <p id="token-hint" class="quiet small">
        {text.hint}
      </p>
      <p id="token-trouble" class="wrong" role="alert">
        {trouble}
      </p>
      <button type="submit" aria-disabled={working.value}>
        {working.value ? text.working : text.submit}
      </button>
    </form>
  );
}
