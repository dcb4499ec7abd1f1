/** Fetches a proof, waiting for the log to publish, and has it checked. */

import * as api from "../api/client";
import type { LedgerProof } from "../api/types";
import { checkProof, type Asked, type Report } from "./check";
import { browserMemory } from "./memory";

export type ProofState =
  | { kind: "fetching" }
  | { kind: "not_yet" }
  | { kind: "unavailable" }
  | { kind: "checked"; report: Report; logKey: string };

/** The log publishes within two seconds; twenty tries of half a second forgive it a slow moment. */
const TRIES_MAX = 20;
const TRY_EVERY_MS = 500;

/** Null while the entry is not yet in a published tree. */
async function publishedProof(asked: Asked): Promise<LedgerProof | null> {
  try {
    const proof = await api.proof(asked.operation, asked.entry);
    return proof.published ? proof : null;
  } catch (cause) {
    if (cause instanceof api.ApiError && cause.code === "not_yet_published") return null;
    throw cause;
  }
}

/** Tells `tell` each state on the way to the result. Stops silently when `stopped` is aborted. */
export async function fetchAndCheck(asked: Asked, tell: (state: ProofState) => void, stopped: AbortSignal): Promise<void> {
  for (let tried = 1; !stopped.aborted; tried += 1) {
    let proof: LedgerProof | null;
    try {
      proof = await publishedProof(asked);
    } catch {
      if (!stopped.aborted) tell({ kind: "unavailable" });
      return;
    }
    if (stopped.aborted) return;
    if (proof === null) {
      if (tried >= TRIES_MAX) return tell({ kind: "unavailable" });
      tell({ kind: "not_yet" });
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
      continue;
    }
    const report = await checkProof(proof, asked, browserMemory);
    if (!stopped.aborted) tell({ kind: "checked", report, logKey: proof.log_vkey });
    return;
  }
}
