/** Asks for a token and trades it for a session. */

import { useSignal } from "@preact/signals";
import { words } from "../i18n/index";
import { session, signIn } from "../ui/session";
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

export function SignInPage() {
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
      <button class="main" type="submit" aria-disabled={working.value}>
        {working.value ? text.working : text.submit}
      </button>
    </form>
  );
}
