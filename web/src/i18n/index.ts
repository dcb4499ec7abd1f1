/** Which language is spoken: loads its catalogue and reason texts, remembers the choice. */

import { batch, signal } from "@preact/signals";
import { LANGUAGES, type Catalogue, type Language } from "./catalogue";

const KEY = "simwarden.language";

interface Spoken {
  catalogue: Catalogue;
  reasons: Readonly<Record<string, string>>;
}

/** One file for each language, fetched when it is first spoken. */
const LOADERS: Record<Language, () => Promise<Spoken>> = {
  km: () => import("./packs/km").then((pack) => pack.default),
  en: () => import("./packs/en").then((pack) => pack.default),
  zh: () => import("./packs/zh").then((pack) => pack.default),
};

export const language = signal<Language>("en");
const spoken = signal<Spoken | null>(null);

/** The words of the current language. Pages are drawn only after `startLanguage` has ended. */
export function words(): Catalogue {
  const now = spoken.value;
  if (!now) throw new Error("words before startLanguage");
  return now.catalogue;
}

/** A word of an open set: its text, or the word itself when no catalogue knows it. */
export function word(table: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(table, code) ? (table[code] ?? code) : code;
}

/** The sentence for a reason code; an unknown code is shown as it is, never left out. */
export const reasonText = (code: string): string => word(spoken.value?.reasons ?? {}, code);

const isLanguage = (text: string): text is Language => (LANGUAGES as readonly string[]).includes(text);

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** The remembered language, otherwise the first of the browser's that we speak, otherwise English. */
export async function startLanguage(): Promise<void> {
  const wishes = [remembered(), ...navigator.languages.map((tag) => tag.split("-")[0] ?? "")];
  await speak(wishes.find(isLanguage) ?? "en");
}

/** Changes the language; the old one stays until the new one is here. */
export async function speak(next: Language): Promise<void> {
  const loaded = await LOADERS[next]();
  batch(() => {
    spoken.value = loaded;
    language.value = next;
  });
  document.documentElement.lang = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not remembered: the page still speaks it now.
  }
}
