/** Verdicts and states as small marks: always a word, with a shape and a colour beside it, never colour alone. */

import { word, words } from "../i18n/index";

const SHAPES: Record<string, string> = {
  allow: "M3 8.5 6.5 12 13 4.5",
  step_up: "M8 13V3.5M3.5 8 8 3.5 12.5 8",
  hold: "M5.5 3.5v9M10.5 3.5v9",
  deny: "M4 4l8 8M12 4l-8 8",
  pass: "M3 8.5 6.5 12 13 4.5",
  fail: "M4 4l8 8M12 4l-8 8",
  unsure: "M4 8h8",
};

/** A shape of 16 by 16, silent for screen readers. */
export function Shape({ name }: { name: string }) {
  return (
    <svg class="shape" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path d={SHAPES[name] ?? SHAPES["unsure"]} fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

export function VerdictBadge({ verdict }: { verdict: string }) {
  return (
    <span class="verdict" data-verdict={verdict}>
      <Shape name={verdict} />
      {word(words().verdicts, verdict)}
    </span>
  );
}

/** What a state means for the eye: still moving, waits for somebody, ended well, stopped. */
const TONES: Record<string, string> = {
  requested: "moving",
  approved: "moving",
  executing: "moving",
  rolling_back: "moving",
  awaiting_evidence: "waits",
  held: "waits",
  completed: "done",
  denied: "stopped",
  frozen: "stopped",
  failed: "stopped",
  cancelled: "over",
  rolled_back: "over",
};

export function StateBadge({ state }: { state: string }) {
  return (
    <span class="state" data-tone={TONES[state] ?? "over"}>
      <span class="dot" aria-hidden="true" />
      {word(words().states, state)}
    </span>
  );
}
