import { describe, expect, test } from "vitest";
import { fromBase64, toHex } from "../../src/ledger/bytes";
import { leafHash, nodeHash, rootFromPath } from "../../src/ledger/merkle";
import { path, sha, treeHash } from "./vectors";

const bytes = (buffer: Buffer) => new Uint8Array(buffer);
const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

describe("hashing", () => {
  test("the empty leaf of RFC 6962 has its known hash", async () => {
    expect(toHex(await leafHash(new Uint8Array()))).toBe(
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    );
  });

  test("the eight leaves that other implementations test with have their known root", async () => {
    const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let level: Uint8Array[] = await Promise.all(inputs.map((each) => leafHash(hex(each))));
    while (level.length > 1) {
      const next: Uint8Array[] = [];
      for (let i = 0; i < level.length; i += 2) next.push(await nodeHash(level[i]!, level[i + 1]!));
      level = next;
    }
    expect(toHex(level[0]!)).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  });
});

describe("inclusion", () => {
  test("every leaf of every tree up to 40 leads to the root, and to no other place", async () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = Array.from({ length: size }, (_, i) => sha(Uint8Array.of(0), `leaf ${i}`));
      const root = treeHash(leaves).toString("hex");
      for (let m = 0; m < size; m += 1) {
        const hashes = path(m, leaves).map(bytes);
        const found = await rootFromPath(m, size, bytes(leaves[m]!), hashes);
        expect(found && toHex(found), `leaf ${m} of ${size}`).toBe(root);
        if (size > 1) {
          const other = await rootFromPath((m + 1) % size, size, bytes(leaves[m]!), hashes);
          expect(other && toHex(other), `leaf ${m} of ${size} passed for its neighbour`).not.toBe(root);
        }
      }
    }
  });

  test("a path that is too long, too short or outside the tree leads nowhere", async () => {
    const leaves = Array.from({ length: 7 }, (_, i) => sha(Uint8Array.of(0), `leaf ${i}`));
    const leaf = bytes(leaves[3]!);
    const hashes = path(3, leaves).map(bytes);
    expect(await rootFromPath(3, 7, leaf, [...hashes, hashes[0]!])).toBeNull();
    expect(await rootFromPath(3, 7, leaf, hashes.slice(1))).toBeNull();
    expect(await rootFromPath(7, 7, leaf, hashes)).toBeNull();
    expect(await rootFromPath(-1, 7, leaf, hashes)).toBeNull();
    expect(await rootFromPath(0.5, 7, leaf, hashes)).toBeNull();
    expect(await rootFromPath(3, 7, leaf, [new Uint8Array(31), ...hashes.slice(1)])).toBeNull();
    expect(await rootFromPath(0, 2 ** 53, leaf, hashes)).toBeNull();
  });

  test("places beyond 32 bits are counted right", async () => {
    // The last leaf of a tree of 2^40 + 1: its only sibling is the root of the full left tree.
    const leaf = bytes(sha("right"));
    const left = bytes(sha("left"));
    const root = await rootFromPath(2 ** 40, 2 ** 40 + 1, leaf, [left]);
    expect(root && toHex(root)).toBe(toHex(await nodeHash(left, leaf)));
  });
});

test("base64 has one spelling for each value", () => {
  expect(fromBase64("AAE=")).toEqual(Uint8Array.of(0, 1));
  for (const wrong of ["AAE", "AAF=", "AA E=", "AAE=\n", "-_==", "A==="]) expect(fromBase64(wrong), wrong).toBeNull();
});
