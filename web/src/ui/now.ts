/** The present, for texts that count down: moves every half minute. */

import { signal } from "@preact/signals";

export const now = signal(new Date());

export function startClock(): void {
  setInterval(() => {
    now.value = new Date();
  }, 30_000);
}
