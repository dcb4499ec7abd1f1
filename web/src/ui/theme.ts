/** Light or dark: as the system says, unless the reader chose. */

import { signal } from "@preact/signals";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "simwarden.theme";

export const theme = signal<Theme>("auto");

const isTheme = (text: string | null): text is Theme => (THEMES as readonly string[]).includes(text ?? "");

function apply(next: Theme): void {
  theme.value = next;
  document.documentElement.dataset["theme"] = next;
}

export function startTheme(): void {
  try {
    const kept = localStorage.getItem(KEY);
    apply(isTheme(kept) ? kept : "auto");
  } catch {
    apply("auto");
  }
}

export function setTheme(next: string): void {
  if (!isTheme(next)) return;
  apply(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not remembered: it still holds for this visit.
  }
}
