import { describe, expect, test } from "vitest";
import type { LedgerProof } from "../../src/api/types";
import { checkProof, type Memory, type Report } from "../../src/ledger/check";
import { OPERATION, checkpointText, cosignatureLine, proofOf, signatureLine, signer, treeHash, world } from "./vectors";

const blank: Memory = { recall: () => null, remember: () => {} };

function remembering(): Memory {
  const kept = new Map<string, { size: number; root: Uint8Array }>();
  return {
    recall: (vkey) => kept.get(vkey) ?? null,
    remember: (vkey, { size, root }) => void kept.set(vkey, { size, root }),
  };
}

const check = (proof: LedgerProof, entry = proof.index, memory = blank) =>
  checkProof(proof, { operation: OPERATION, entry }, memory);

const resultOf = (report: Report, name: string) => report.checks.find((each) => each.name === name)?.result;

/** The same base64 with one bit of one byte changed. */
function flip(text: string, at: number): string {
  const bytes = Buffer.from(text, "base64");
  bytes[at] = bytes[at]! ^ 1;
  return bytes.toString("base64");
}

describe("an honest proof", () => {
  test.each([1, 2, 3, 7, 64, 65, 200])("of any entry in a log of %i is verified", async (size) => {
    const w = world(size);
    for (const index of new Set([0, size >> 1, size - 1])) {
      const report = await check(proofOf(w, index, true));
      expect(report.result, JSON.stringify(report.checks)).toBe("pass");
      expect(report.witnesses).toBe(1);
      expect(resultOf(report, "subject")).toBe("pass");
    }
  });

  test("names the witness's time", async () => {
    const report = await check(proofOf(world(5), 2, true));
    expect(report.checks.find((each) => each.name === "witness")?.at?.toISOString()).toBe("2026-09-21T14:13:20.000Z");
  });

  test("whose entry does not name the operation is verified, but says so", async () => {
    const w = world(5);
    w.entries[2] = Buffer.from("ciphertext");
    const report = await check(proofOf(w, 2));
    expect(report.result).toBe("pass");
    expect(resultOf(report, "subject")).toBe("unsure");
  });

  test("whose entry carries the sixteen bytes of the identifier names the operation", async () => {
    const w = world(5);
    w.entries[2] = Buffer.concat([Buffer.of(1, 2), Buffer.from(OPERATION.replaceAll("-", ""), "hex"), Buffer.of(9)]);
    expect(resultOf(await check(proofOf(w, 2)), "subject")).toBe("pass");
  });

  test("without the witness's line is verified, and counts no witness", async () => {
    const w = world(5);
    const report = await check({ ...proofOf(w, 2), witness_vkeys: [w.witness.vkey] });
    expect(report.result).toBe("pass");
    expect(report.witnesses).toBe(0);
    expect(resultOf(report, "witness")).toBe("unsure");
  });
});

describe("a proof that was tampered with fails", () => {
  const w = world(11);
  const honest = proofOf(w, 4, true);
  const text = checkpointText(w);

  test("any bit of the entry", async () => {
    const length = Buffer.from(honest.entry, "base64").length;
    for (let at = 0; at < length; at += 1) {
      const report = await check({ ...honest, entry: flip(honest.entry, at) });
      expect(report.result, `byte ${at}`).toBe("fail");
      expect(resultOf(report, "inclusion")).toBe("fail");
    }
  });

  test("any hash of the path", async () => {
    for (let i = 0; i < honest.hashes.length; i += 1) {
      const hashes = honest.hashes.map((hash, j) => (i === j ? flip(hash, 31) : hash));
      expect((await check({ ...honest, hashes })).result, `hash ${i}`).toBe("fail");
    }
  });

  test("every single character of the checkpoint", async () => {
    for (let i = 0; i < honest.checkpoint.length; i += 1) {
      const other = honest.checkpoint[i] === "A" ? "B" : "A";
      const checkpoint = honest.checkpoint.slice(0, i) + other + honest.checkpoint.slice(i + 1);
      const report = await check({ ...honest, checkpoint });
      // A witness's name or key id changed makes its line unknown, which is no lie: but then it does not count.
      expect(report.result === "fail" || report.witnesses === 0, `character ${i}`).toBe(true);
      if (i < text.length) expect(report.result, `character ${i}`).toBe("fail");
    }
  });

  test("the index, or an honest proof of another entry", async () => {
    expect((await check({ ...honest, index: 5 }, 5)).result).toBe("fail");
    const other = await check(proofOf(w, 5), 4);
    expect(other.result).toBe("fail");
    expect(resultOf(other, "entry")).toBe("fail");
  });

  test("the signature of another key with the same name", async () => {
    const thief = signer(w.log.name);
    const report = await check({ ...honest, checkpoint: `${text}\n${signatureLine(thief, text)}` });
    expect(resultOf(report, "signature")).toBe("fail");
    expect(report.result).toBe("fail");
  });

  test("a checkpoint of another log, rightly signed", async () => {
    const foreign = text.replace("ledger.example/one", "ledger.example/two");
    const report = await check({ ...honest, checkpoint: `${foreign}\n${signatureLine(w.log, foreign)}` });
    expect(resultOf(report, "signature")).toBe("fail");
  });

  test("a wrong line of the log's key beside a right one", async () => {
    const wrong = signatureLine(w.log, "something else\n");
    const report = await check({ ...honest, checkpoint: `${text}\n${signatureLine(w.log, text)}${wrong}` });
    expect(resultOf(report, "signature")).toBe("fail");
  });

  test("a witness's cosignature over another time or tree", async () => {
    const line = cosignatureLine(w.witness, text.replace("11", "12"), 1_790_000_000);
    const report = await check({ ...honest, checkpoint: `${text}\n${signatureLine(w.log, text)}${line}` });
    expect(resultOf(report, "witness")).toBe("fail");
    expect(report.result).toBe("fail");
  });

  test("a log's key in the witness's place, and a witness's in the log's", async () => {
    const plain = await check({ ...honest, witness_vkeys: [w.log.vkey] });
    expect(plain.witnesses).toBe(0);
    expect(resultOf(await check({ ...honest, log_vkey: w.witness.vkey }), "signature")).toBe("fail");
  });

  test("a key whose id is not its own hash", async () => {
    const log_vkey = w.log.vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+");
    expect((await check({ ...honest, log_vkey })).result).toBe("fail");
  });

  test.each(["", "\n\n", "a\n1\n", "a\n01\nAAAA\n\n— a AAAA\n", `${text}`, `${text}\n`])("nonsense %j", async (note) => {
    expect((await check({ ...honest, checkpoint: note })).result).toBe("fail");
  });
});

describe("what this browser remembers", () => {
  test("the first sight is open, the second passes, a longer log passes and is remembered", async () => {
    const memory = remembering();
    const w = world(6);
    expect(resultOf(await check(proofOf(w, 1), 1, memory), "memory")).toBe("unsure");
    expect(resultOf(await check(proofOf(w, 1), 1, memory), "memory")).toBe("pass");
    w.entries.push(Buffer.from("one more"));
    expect(resultOf(await check(proofOf(w, 1), 1, memory), "memory")).toBe("pass");
    expect(memory.recall(w.log.vkey)?.size).toBe(7);
  });

  test("a log of the same size, rewritten and signed anew with the same key, fails", async () => {
    const memory = remembering();
    const w = world(6);
    await check(proofOf(w, 1), 1, memory);
    w.entries[3] = Buffer.from("history, improved");
    const report = await check(proofOf(w, 1), 1, memory);
    expect(resultOf(report, "inclusion")).toBe("pass");
    expect(resultOf(report, "signature")).toBe("pass");
    expect(resultOf(report, "memory")).toBe("fail");
    expect(report.result).toBe("fail");
  });

  test("a checkpoint whose signature fails is never remembered", async () => {
    const memory = remembering();
    const w = world(6);
    const forged = { ...proofOf(w, 1), checkpoint: `${checkpointText(w)}\n${signatureLine(signer(w.log.name), "x\n")}` };
    await check(forged, 1, memory);
    expect(memory.recall(w.log.vkey)).toBeNull();
  });
});

test("the helper's empty tree is SHA-256 of nothing", () => {
  expect(treeHash([]).toString("hex")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
