/** What stands around every page: who is signed in, whether the line is live, language, colours, the way out. */

import type { ComponentChildren } from "preact";
import { signal } from "@preact/signals";
import { LANGUAGES } from "../i18n/catalogue";
import { dateTime } from "../i18n/dates";
import { language, speak, word, words } from "../i18n/index";
import { connection } from "../live/connection";
import { session, signOut } from "./session";
import { THEMES, setTheme, theme } from "./theme";

const NAMES = { km: "ខ្មែរ", en: "English", zh: "中文" } as const;

const signOutFailed = signal(false);

async function leave(): Promise<void> {
  signOutFailed.value = !(await signOut());
}

function LanguageSwitch() {
  return (
    <div class="switch" role="group" aria-label={words().shell.languageLabel}>
      {LANGUAGES.map((each) => (
        <button type="button" key={each} lang={each} aria-pressed={language.value === each} onClick={() => void speak(each)}>
          {NAMES[each]}
        </button>
      ))}
    </div>
  );
}

function ThemeSwitch() {
  const { shell } = words();
  return (
    <select aria-label={shell.theme} value={theme.value} onChange={(event) => setTheme(event.currentTarget.value)}>
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {shell.themes[each]}
        </option>
      ))}
    </select>
  );
}

function ConnectionMark() {
  const text = words().connection;
  return (
    <span class="connection" data-connection={connection.value.kind} role="status">
      <span class="dot" aria-hidden="true" />
      {text[connection.value.kind]}
    </span>
  );
}

/** Old data must look old: a bar that cannot be overlooked. */
function LostBar() {
  const now = connection.value;
  if (now.kind !== "reconnecting") return null;
  const text = words().connection;
  return (
    <p class="bar" role="alert">
      {now.since ? text.lost(dateTime(language.value, now.since)) : text.never}
    </p>
  );
}

function Who() {
  const now = session.value;
  if (now.kind !== "in") return null;
  const { shell, roles } = words();
  return (
    <span class="who">
      <b>{now.me.name}</b>
      <span class="quiet small">{shell.signedIn(word(roles, now.me.role), now.me.operator)}</span>
    </span>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const { shell } = words();
  const signedIn = session.value.kind === "in";
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {shell.skip}
      </a>
      <header class="top">
        <a class="brand" href="/console">
          <img src="/icon.svg" alt="" width="24" height="24" />
          <span>simwarden</span>
        </a>
        {signedIn && <ConnectionMark />}
        <div class="tools">
          <LanguageSwitch />
          <ThemeSwitch />
          {signedIn && <Who />}
          {signedIn && (
            <button type="button" onClick={() => void leave()}>
              {shell.signOut}
            </button>
          )}
        </div>
      </header>
      {signedIn && signOutFailed.value && (
        <p class="bar" role="alert">
          {shell.signOutFailed}
        </p>
      )}
      {signedIn && <LostBar />}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** Moves the focus without leaving `#content` in the address. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
