/** Merkle tree hashing and inclusion proofs after RFC 6962 2.1 (the same in RFC 9162 2.1.3). */

import { concat } from "./bytes";

type Bytes = Uint8Array<ArrayBuffer>;

export const HASH_BYTES = 32;
/** A path has at most one hash for each level; 2^53 leaves are as many as we can count exactly. */
export const PATH_HASHES_MAX = 53;

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Promise<Bytes> => sha256(concat(Uint8Array.of(0), entry));

/** SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Bytes> =>
  sha256(concat(Uint8Array.of(1), left, right));

/**
 * The root that the path leads to from leaf `index` (from 0) of a tree of `size` leaves, after RFC 9162 2.1.3.2; null
 * when the path has the wrong length for that place, or the place is outside the tree.
 *
 * Divisions instead of shifts: JavaScript's shifts end at 32 bits.
 */
export async function rootFromPath(
  index: number,
  size: number,
  leaf: Bytes,
  path: readonly Bytes[],
): Promise<Bytes | null> {
  const countable = Number.isSafeInteger(index) && Number.isSafeInteger(size);
  if (!countable || index < 0 || index >= size || path.length > PATH_HASHES_MAX) return null;
  let place = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (sibling.length !== HASH_BYTES || last === 0) return null;
    if (place % 2 === 1 || place === last) {
      hash = await nodeHash(sibling, hash);
      while (place % 2 === 0 && place !== 0) {
        place = place / 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = await nodeHash(hash, sibling);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}
