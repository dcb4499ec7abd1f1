/**
 * Signed notes, verifier keys, checkpoints and cosignatures, after C2SP `signed-note`, `tlog-checkpoint` and
 * `tlog-cosignature`. Parsing and Ed25519 only: what the results mean is said in `check.ts`.
 */

import { concat, equal, fromBase64, toHex } from "./bytes";
import { HASH_BYTES } from "./merkle";

type Bytes = Uint8Array<ArrayBuffer>;

/** Key types: what a log signs its checkpoints with, and a witness its cosignatures. */
export const ED25519 = 0x01;
export const COSIGNATURE_V1 = 0x04;
const NOTE_CHARS_MAX = 64_000;
const SIGNATURES_MAX = 64;

/** A key that somebody may sign notes with: `name+hex id+base64(type ‖ key)`. */
export interface VerifierKey {
  name: string;
  /** Eight hexadecimal digits. */
  id: string;
  type: number;
  key: Bytes;
}

export interface NoteSignature {
  name: string;
  id: string;
  /** What follows the key id. */
  signature: Bytes;
}

export interface Note {
  /** What is signed: everything up to the blank line, with its last newline. */
  text: string;
  signatures: NoteSignature[];
}

/** The head of a log at some size. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
}

const utf8 = new TextEncoder();

/** Names are never empty and hold neither white space nor a plus sign. */
const isName = (name: string): boolean => name !== "" && !/[\s+]/u.test(name);

/** Reads a verifier key; null when it is malformed or its id is not the hash of its name and key. */
export async function parseVerifierKey(text: string): Promise<VerifierKey | null> {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
  const [, name = "", id = "", encoded = ""] = match ?? [];
  const typed = fromBase64(encoded);
  if (!isName(name) || !typed || typed.length < 2) return null;
  const hash = await crypto.subtle.digest("SHA-256", concat(utf8.encode(`${name}\n`), typed));
  if (toHex(new Uint8Array(hash).slice(0, 4)) !== id) return null;
  return { name, id, type: typed[0] ?? 0, key: typed.slice(1) };
}

/** Splits a note into its text and signature lines; null when any line is malformed. */
export function parseNote(note: string): Note | null {
  if (note.length > NOTE_CHARS_MAX || hasControls(note)) return null;
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0 || !note.endsWith("\n")) return null;
  const lines = note.slice(blank + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) return null;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const match = /^— ([^ ]+) ([^ ]+)$/u.exec(line);
    const [, name = "", encoded = ""] = match ?? [];
    const bytes = fromBase64(encoded);
    if (!isName(name) || !bytes || bytes.length < 5) return null;
    signatures.push({ name, id: toHex(bytes.slice(0, 4)), signature: bytes.slice(4) });
  }
  return { text: note.slice(0, blank + 1), signatures };
}

/** A note must not hold control characters other than the newline. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

/** Reads the text of a note as a checkpoint; null when it is none. Extension lines are allowed and ignored. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = "", count = "", hash = "", ...rest] = text.split("\n");
  // The text ends with a newline, so the last piece is empty and no other may be.
  if (rest.pop() !== "" || rest.includes("")) return null;
  const root = fromBase64(hash);
  const size = Number(count);
  if (origin === "" || !/^(0|[1-9][0-9]{0,15})$/.test(count) || !Number.isSafeInteger(size)) return null;
  if (!root || root.length !== HASH_BYTES) return null;
  return { origin, size, root };
}

/** `valid` needs at least one signature line of this key, and every line of this key to verify. */
export type SignatureResult = { kind: "valid"; at: Date | null } | { kind: "invalid" } | { kind: "absent" };

/** Checks what `key` signed on the note. Rejects when the browser cannot do Ed25519. */
export async function checkSignature(note: Note, key: VerifierKey): Promise<SignatureResult> {
  const own = note.signatures.filter((each) => each.name === key.name && each.id === key.id);
  if (own.length === 0) return { kind: "absent" };
  const imported = await crypto.subtle.importKey("raw", key.key, { name: "Ed25519" }, false, ["verify"]);
  let at: Date | null = null;
  for (const { signature } of own) {
    const signed = signedMessage(note, key, signature);
    if (!signed) return { kind: "invalid" };
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, imported, signed.signature, signed.message))) {
      return { kind: "invalid" };
    }
    at = signed.at;
  }
  return { kind: "valid", at };
}

interface SignedMessage {
  message: Bytes;
  signature: Bytes;
  at: Date | null;
}

function signedMessage(note: Note, key: VerifierKey, signature: Bytes): SignedMessage | null {
  if (key.type === ED25519 && signature.length === 64) {
    return { message: utf8.encode(note.text), signature, at: null };
  }
  if (key.type === COSIGNATURE_V1 && signature.length === 8 + 64) {
    const seconds = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
    if (seconds > 253_402_300_799n) return null;
    const message = utf8.encode(`cosignature/v1\ntime ${seconds}\n${note.text}`);
    return { message, signature: signature.slice(8), at: new Date(Number(seconds) * 1000) };
  }
  return null;
}

/** Whether both checkpoints tell of one tree, as far as two checkpoints alone can say. */
export function agree(a: Checkpoint, b: { size: number; root: Uint8Array }): boolean {
  return a.size !== b.size || equal(a.root, b.root);
}
