/**
 * Checks, in the browser, that an operation's ledger entry is in the signed log, and says for each step what was found.
 *
 * Nothing here is believed because the server says so, except the key itself; the page says that too. What a pass does
 * not prove is written in the catalogues (`proof.limits`).
 */

import type { LedgerProof } from "../api/types";
import { contains, fromBase64, toHex } from "./bytes";
import { HASH_BYTES, leafHash, rootFromPath } from "./merkle";
import { COSIGNATURE_V1, ED25519, agree, checkSignature, parseCheckpoint, parseNote, parseVerifierKey } from "./note";
import type { Checkpoint, Note } from "./note";

/** `unsure`: could not be checked here, which is neither good nor bad. */
export type Result = "pass" | "fail" | "unsure";

export type CheckName = "entry" | "subject" | "leaf" | "checkpoint" | "inclusion" | "signature" | "memory" | "witness";

export interface Check {
  name: CheckName;
  result: Result;
  /** Values that the sentence of this check speaks of. */
  facts: Partial<Record<"index" | "size" | "bytes" | "hash" | "hashes" | "origin" | "key" | "witness", string>>;
  /** When a witness signed. */
  at?: Date | null;
}

export interface Report {
  checks: Check[];
  /** Failed when any check failed; verified only when entry, inclusion and signature all passed. */
  result: Result;
  /** How many outside witnesses cosigned. */
  witnesses: number;
}

/** The newest checkpoint that this browser has seen verified for a log key. */
export interface Memory {
  recall(vkey: string): { size: number; root: Uint8Array } | null;
  remember(vkey: string, checkpoint: Checkpoint): void;
}

/** What the page asked for. */
export interface Asked {
  operation: string;
  entry: number;
}

/** The checks that must pass before anything is called verified. */
const ESSENTIAL: readonly CheckName[] = ["entry", "leaf", "checkpoint", "inclusion", "signature"];

/** Runs every check that can be run; a broken one does not hide the others. */
export async function checkProof(proof: LedgerProof, asked: Asked, memory: Memory): Promise<Report> {
  const checks: Check[] = [];
  const entry = fromBase64(proof.entry);
  checks.push({
    name: "entry",
    result: entry !== null && proof.index === asked.entry ? "pass" : "fail",
    facts: { index: String(proof.index), bytes: String(entry?.length ?? 0) },
  });
  if (entry) checks.push({ name: "subject", result: names(entry, asked.operation) ? "pass" : "unsure", facts: {} });
  const leaf = entry && (await leafHash(entry));
  checks.push({ name: "leaf", result: leaf ? "pass" : "fail", facts: leaf ? { hash: toHex(leaf) } : {} });

  const note = parseNote(proof.checkpoint);
  const checkpoint = note && parseCheckpoint(note.text);
  checks.push({
    name: "checkpoint",
    result: checkpoint ? "pass" : "fail",
    facts: checkpoint ? { origin: checkpoint.origin, size: String(checkpoint.size), hash: toHex(checkpoint.root) } : {},
  });
  checks.push(await inclusion(proof, leaf, checkpoint));
  const signed = await logSignature(proof, note, checkpoint);
  checks.push(signed);
  if (checkpoint && signed.result === "pass") checks.push(remembered(proof.log_vkey, checkpoint, memory));
  const witnesses = note ? await cosignatures(proof.witness_vkeys, note) : [];
  checks.push(...witnesses);
  return summary(checks);
}

function summary(checks: Check[]): Report {
  const witnesses = checks.filter((each) => each.name === "witness" && each.result === "pass").length;
  const passed = (name: CheckName) => checks.some((each) => each.name === name && each.result === "pass");
  if (checks.some((each) => each.result === "fail")) return { checks, result: "fail", witnesses };
  return { checks, result: ESSENTIAL.every(passed) ? "pass" : "unsure", witnesses };
}

/** Whether the entry carries the operation's identifier, as text or as its sixteen bytes. */
function names(entry: Uint8Array, operation: string): boolean {
  const hex = operation.replaceAll("-", "");
  const raw = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return contains(entry, new TextEncoder().encode(operation)) || (raw.length === 16 && contains(entry, raw));
}

async function inclusion(
  proof: LedgerProof,
  leaf: Uint8Array<ArrayBuffer> | null,
  checkpoint: Checkpoint | null,
): Promise<Check> {
  const facts = { hashes: String(proof.hashes.length), size: String(checkpoint?.size ?? 0) };
  const failed: Check = { name: "inclusion", result: "fail", facts };
  if (!leaf || !checkpoint) return failed;
  const path: Uint8Array<ArrayBuffer>[] = [];
  for (const text of proof.hashes) {
    const hash = fromBase64(text);
    if (hash?.length !== HASH_BYTES) return failed;
    path.push(hash);
  }
  const root = await rootFromPath(proof.index, checkpoint.size, leaf, path);
  return root && toHex(root) === toHex(checkpoint.root) ? { name: "inclusion", result: "pass", facts } : failed;
}

async function logSignature(proof: LedgerProof, note: Note | null, checkpoint: Checkpoint | null): Promise<Check> {
  const key = await parseVerifierKey(proof.log_vkey);
  const facts = { origin: key?.name ?? "", key: key?.id ?? "" };
  // A checkpoint of another log, rightly signed, must not pass for one of this log.
  if (key?.type !== ED25519 || !note || !checkpoint || checkpoint.origin !== key.name) {
    return { name: "signature", result: "fail", facts };
  }
  try {
    const { kind } = await checkSignature(note, key);
    return { name: "signature", result: kind === "valid" ? "pass" : "fail", facts };
  } catch {
    return { name: "signature", result: "unsure", facts };
  }
}

/** Compares with what this browser saw before: one size with two roots means that the log was rewritten or split. */
function remembered(vkey: string, checkpoint: Checkpoint, memory: Memory): Check {
  const known = memory.recall(vkey);
  if (!known) {
    memory.remember(vkey, checkpoint);
    return { name: "memory", result: "unsure", facts: { size: String(checkpoint.size) } };
  }
  if (!agree(checkpoint, known)) return { name: "memory", result: "fail", facts: { size: String(known.size) } };
  if (checkpoint.size > known.size) memory.remember(vkey, checkpoint);
  return { name: "memory", result: "pass", facts: { size: String(known.size) } };
}

async function cosignatures(vkeys: readonly string[], note: Note): Promise<Check[]> {
  const checks: Check[] = [];
  for (const text of vkeys) {
    const key = await parseVerifierKey(text);
    if (!key) {
      checks.push({ name: "witness", result: "fail", facts: { witness: text } });
      continue;
    }
    const facts = { witness: key.name, key: key.id };
    if (key.type !== COSIGNATURE_V1) {
      checks.push({ name: "witness", result: "unsure", facts });
      continue;
    }
    try {
      const found = await checkSignature(note, key);
      const result = found.kind === "valid" ? "pass" : found.kind === "invalid" ? "fail" : "unsure";
      checks.push({ name: "witness", result, facts, at: found.kind === "valid" ? found.at : null });
    } catch {
      checks.push({ name: "witness", result: "unsure", facts });
    }
  }
  return checks;
}
