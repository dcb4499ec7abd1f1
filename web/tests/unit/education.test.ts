import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Findings, checkCampaign, parseLesson, readContent, tipTrouble } from "../../education/source.js";

const ROOT = join(import.meta.dirname, "../../..");
const LESSON = readFileSync(join(ROOT, "content/en/lessons/signs.md"), "utf8");

/** What is wrong with the lesson after a change to it. */
function spoilt(change: (text: string) => string): string {
  const findings = new Findings();
  const changed = change(LESSON);
  expect(changed, "the change must change something").not.toBe(LESSON);
  parseLesson("signs.md", changed, findings);
  return [...findings].join("\n");
}

test("the content of the house is in its form", () => {
  expect([...readContent(ROOT).findings]).toEqual([]);
});

describe("a lesson is refused", () => {
  test.each([
    ["with four cards", (text: string) => text.replace(/## stranger[\s\S]*?(?=## first-calls)/, ""), "has 4 cards"],
    ["with two right answers", (text: string) => text.replace("- [ ] He waits", "- [x] He waits"), "2 right answers"],
    ["with no right answer", (text: string) => text.replace("- [x] He borrows", "- [ ] He borrows"), "0 right answers"],
    ["with one answer", (text: string) => text.replace(/- \[ \] .*(tomorrow|phone)\n/g, ""), "1 answers"],
    ["without an explanation", (text: string) => text.replace(/^> .*\n/m, ""), "an explanation"],
    ["with two questions on a card", (text: string) => text.replace("### What does Dara", "### Why?\n### What does Dara"), "a question"],
    ["without its action", (text: string) => text.replace(/## action[\s\S]*/, ""), "ends in no action"],
    ["with one name for two cards", (text: string) => text.replace("## notice", "## no-signal"), "one name"],
    ["with a card that is too long", (text: string) => text.replace("> His", `> ${"long ".repeat(150)}His`), "at most 700"],
  ])("%s", (_, change, why) => expect(spoilt(change)).toContain(why));
});

describe("a tip", () => {
  test("fits one part of an SMS", () => {
    expect(tipTrouble("km", "ក".repeat(70))).toBe("");
    expect(tipTrouble("km", "ក".repeat(71))).toContain("71 characters");
    expect(tipTrouble("zh", "锁".repeat(71))).toContain("71 characters");
    expect(tipTrouble("en", "a".repeat(160))).toBe("");
    expect(tipTrouble("en", "a".repeat(161))).toContain("161 characters");
  });
  test("holds no link, nothing invisible, and in English nothing that halves its room", () => {
    expect(tipTrouble("en", "Look at rumdul.example")).toContain("link");
    expect(tipTrouble("zh", "请看 https://rumdul")).toContain("link");
    expect(tipTrouble("km", "ចាក់\u200bសោ")).toContain("invisible");
    expect(tipTrouble("en", "Don’t tell")).toContain("GSM");
  });
});

describe("a campaign", () => {
  const GOOD = {
    title: "x", trigger: "line_unlocked", delay_minutes: 0, tip: "lock_on", lesson: "lock", channels: ["sms"],
    languages: ["km"], risk: ["high"], per_person_30d_max: 1, control_share: 0.1, measure: "lock_on_within_7d",
  };
  const judge = (it: object) => {
    const findings = new Findings();
    checkCampaign("x.toml", it, { tips: ["lock_on"], lessons: ["lock"], limit: 2 }, findings);
    return [...findings].join("\n");
  };
  test("that names what exists is taken", () => expect(judge(GOOD)).toBe(""));
  test.each([
    [{ trigger: "full_moon" }, "trigger"],
    [{ tip: "none" }, "no tip"],
    [{ control_share: 0 }, "control_share"],
    [{ per_person_30d_max: 3 }, "per_person_30d_max"],
    [{ languages: [] }, "languages"],
    [{ channels: ["pigeon"] }, "channels"],
  ])("with %o is refused", (change, why) => expect(judge({ ...GOOD, ...change })).toContain(why));
});
