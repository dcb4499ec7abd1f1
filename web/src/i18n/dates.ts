/**
 * Dates and times in the three languages, in the browser's own time zone, with Latin digits.
 *
 * Not `Intl`: Chromium has no Khmer month names and falls back to English or to "M11", while Node has them, so that a
 * test would pass where the page fails.
 */

import type { Language } from "./catalogue";

const MONTHS: Record<Language, readonly string[]> = {
  km: [
    "មករា",
    "កុម្ភៈ",
    "មីនា",
    "មេសា",
    "ឧសភា",
    "មិថុនា",
    "កក្កដា",
    "សីហា",
    "កញ្ញា",
    "តុលា",
    "វិច្ឆិកា",
    "ធ្នូ",
  ],
  en: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
  zh: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
};

const two = (n: number): string => String(n).padStart(2, "0");
/** Keeps a date on one line. */
const NBSP = "\u00A0";

/** `18:04:53` */
export const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

/** `23 Nov 2026`, `23 វិច្ឆិកា 2026`, `2026年11月23日` */
export function day(language: Language, at: Date): string {
  const month = MONTHS[language][at.getMonth()] ?? "";
  if (language === "zh") return `${at.getFullYear()}年${month}${at.getDate()}日`;
  return [at.getDate(), month, at.getFullYear()].join(NBSP);
}

/** Day and time to the second. */
export const dateTime = (language: Language, at: Date): string => `${day(language, at)} ${clock(at)}`;

/** The time when it is the day of `now`, otherwise day and month before it. */
export function when(language: Language, at: Date, now: Date): string {
  if (at.toDateString() === now.toDateString()) return clock(at);
  const month = MONTHS[language][at.getMonth()] ?? "";
  const short = language === "zh" ? `${month}${at.getDate()}日` : `${at.getDate()}${NBSP}${month}`;
  return `${short} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `UTC+7`, `UTC-3:30`: which clock the page shows. */
export function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? "-" : "+"}${Math.floor(Math.abs(minutes) / 60)}${rest ? `:${two(rest)}` : ""}`;
}

/** Whole hours and minutes until `until`; null when it has passed. */
export function timeLeft(until: Date, now: Date): { hours: number; minutes: number } | null {
  const minutes = Math.ceil((until.getTime() - now.getTime()) / 60_000);
  return minutes <= 0 ? null : { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}
