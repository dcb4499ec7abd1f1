import { describe, expect, test } from "vitest";
import reasonsEn from "../../../content/en/reasons.json";
import reasonsKm from "../../../content/km/reasons.json";
import reasonsZh from "../../../content/zh/reasons.json";
import { en } from "../../src/i18n/en";
import { km } from "../../src/i18n/km";
import { zh } from "../../src/i18n/zh";

/** Every text of a catalogue by its path; functions are called with marks, so that a dropped value shows. */
function texts(node: unknown, path = ""): [string, string][] {
  if (typeof node === "string") return [[path, node]];
  if (typeof node === "function") return [[path, String(node(...marks(path)))]];
  return Object.entries(node as object).flatMap(([key, value]) => texts(value, path === "" ? key : `${path}.${key}`));
}

/** Facts of checks are an object, lists are arrays, all else is distinct values. */
function marks(path: string): unknown[] {
  if (path.startsWith("proof.checks.")) {
    return [{ index: "«i»", size: "«s»", bytes: "«b»", hash: "«h»", hashes: "«p»", origin: "«o»", key: "«k»", witness: "«w»" }];
  }
  if (path === "listed") return [["«1»", "«2»"]];
  if (path === "left") return [3, 4];
  return ["«1»", "«2»", "«3»"];
}

const catalogues = { en: texts(en), km: texts(km), zh: texts(zh) };
const reasons = { en: reasonsEn, km: reasonsKm, zh: reasonsZh } as Record<string, Record<string, string>>;
const keys = (language: keyof typeof catalogues) => catalogues[language].map(([path]) => path).sort();

/** Words that are the same in every language. */
const NAMES = new Set(["language"]);

describe("catalogues", () => {
  test.each(["km", "zh"] as const)("%s has every key of English and no other", (language) => {
    expect(keys(language)).toEqual(keys("en"));
  });

  test.each(["en", "km", "zh"] as const)("%s has no empty text", (language) => {
    for (const [path, text] of catalogues[language]) expect(text.trim(), path).not.toBe("");
  });

  test.each([
    ["km", /[\u1780-\u17FF]/],
    ["zh", /[\u4E00-\u9FFF]/],
  ] as const)("%s is written in its own script throughout", (language, script) => {
    for (const [path, text] of catalogues[language]) {
      if (path !== "listed") expect(text, path).toMatch(script);
    }
  });

  test("English holds no other script", () => {
    for (const [path, text] of catalogues.en) {
      if (!NAMES.has(path)) expect(text, path).not.toMatch(/[\u1780-\u17FF\u4E00-\u9FFF]/);
    }
  });

  test.each(["km", "zh"] as const)("%s uses the same values as English", (language) => {
    const used = (text: string) => [...new Set(text.match(/«.»/g) ?? [])].sort().join();
    const english = new Map(catalogues.en);
    for (const [path, text] of catalogues[language]) {
      expect(used(text), path).toBe(used(english.get(path) ?? ""));
    }
  });
});

describe("reasons", () => {
  test("every language has the same codes", () => {
    expect(Object.keys(reasons["km"]!).sort()).toEqual(Object.keys(reasons["en"]!).sort());
    expect(Object.keys(reasons["zh"]!).sort()).toEqual(Object.keys(reasons["en"]!).sort());
  });

  test("every text is in its own script", () => {
    for (const [code, text] of Object.entries(reasons["km"]!)) expect(text, code).toMatch(/[\u1780-\u17FF]/);
    for (const [code, text] of Object.entries(reasons["zh"]!)) expect(text, code).toMatch(/[\u4E00-\u9FFF]/);
    for (const [code, text] of Object.entries(reasons["en"]!)) expect(text, code).toMatch(/[a-z]/);
  });
});
