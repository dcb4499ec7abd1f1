/** How long to wait before the next attempt. */

const FIRST_MS = 500;
const LAST_MS = 15_000;

/** Doubles from half a second up to fifteen, then spread by `chance` in 0..1 so that browsers do not return as one. */
export function backoffMs(attempt: number, chance: number): number {
  const whole = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(whole * (0.5 + chance / 2));
}
