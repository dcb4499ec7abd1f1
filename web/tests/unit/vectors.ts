/**
 * An independent log in a few lines, straight from the definitions (RFC 6962 2.1, C2SP signed-note), on node:crypto:
 * recursive where the page's code is iterative, so that both are unlikely to be wrong in the same way.
 */

import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { LedgerProof } from "../../src/api/types";

export const sha = (...parts: (Uint8Array | string)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafOf = (entry: Uint8Array): Buffer => sha(Uint8Array.of(0), entry);
const nodeOf = (left: Uint8Array, right: Uint8Array): Buffer => sha(Uint8Array.of(1), left, right);

/** The largest power of two below `n`. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

export function treeHash(leaves: Buffer[]): Buffer {
  if (leaves.length === 0) return sha("");
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return nodeOf(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

export function path(m: number, leaves: Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...path(m, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

export interface Signer {
  name: string;
  id: Buffer;
  vkey: string;
  key: KeyObject;
}

export function signer(name: string, type = 1): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(12);
  const typed = Buffer.concat([Buffer.of(type), raw]);
  const id = sha(`${name}\n`, typed).subarray(0, 4);
  return { name, id, vkey: `${name}+${id.toString("hex")}+${typed.toString("base64")}`, key: privateKey };
}

export const signatureLine = (by: Signer, text: string): string =>
  `— ${by.name} ${Buffer.concat([by.id, sign(null, Buffer.from(text), by.key)]).toString("base64")}\n`;

export function cosignatureLine(by: Signer, text: string, seconds: number): string {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), by.key);
  return `— ${by.name} ${Buffer.concat([by.id, time, signature]).toString("base64")}\n`;
}

export interface World {
  log: Signer;
  witness: Signer;
  entries: Buffer[];
}

export const OPERATION = "0c8f4b1e-7a52-4d0f-9b61-3f2f9a1c7d55";

export function world(size: number): World {
  const entries = Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i} of ${OPERATION}`));
  return { log: signer("ledger.example/one"), witness: signer("witness.example/w", 4), entries };
}

export function checkpointText(w: World, size = w.entries.length): string {
  return `${w.log.name}\n${size}\n${treeHash(w.entries.slice(0, size).map(leafOf)).toString("base64")}\n`;
}

export function proofOf(w: World, index: number, witnessed = false): LedgerProof {
  const text = checkpointText(w);
  const cosigned = witnessed ? cosignatureLine(w.witness, text, 1_790_000_000) : "";
  return {
    index,
    entry: w.entries[index]!.toString("base64"),
    hashes: path(index, w.entries.map(leafOf)).map((hash) => hash.toString("base64")),
    checkpoint: `${text}\n${signatureLine(w.log, text)}${cosigned}`,
    log_vkey: w.log.vkey,
    witness_vkeys: witnessed ? [w.witness.vkey] : [],
    published: true,
  };
}
