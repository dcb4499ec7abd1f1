import { describe, expect, test } from "vitest";
import { LANGUAGES } from "../../src/i18n/catalogue";
import { dateTime, day, timeLeft, when, zone } from "../../src/i18n/dates";

const at = new Date(2026, 10, 3, 8, 4, 5);

describe("dates", () => {
  test("are written as each language writes them", () => {
    expect(dateTime("km", at)).toBe("3\u00A0វិច្ឆិកា\u00A02026 08:04:05");
    expect(dateTime("en", at)).toBe("3\u00A0Nov\u00A02026 08:04:05");
    expect(dateTime("zh", at)).toBe("2026年11月3日 08:04:05");
  });

  test("Khmer months are the calendar's, in its order", () => {
    const months = Array.from({ length: 12 }, (_, month) => day("km", new Date(2026, month, 1)).split("\u00A0")[1]);
    expect(months).toEqual([
      "មករា",
      "កុម្ភៈ",
      "មីនា",
      "មេសា",
      "ឧសភា",
      "មិថុនា",
      "កក្កដា",
      "សីហា",
      "កញ្ញា",
      "តុលា",
      "វិច្ឆិកា",
      "ធ្នូ",
    ]);
  });

  test("have Latin digits in every language", () => {
    for (const language of LANGUAGES) expect(dateTime(language, at)).not.toMatch(/[០-៩]/);
  });

  test("today needs no day, another day does", () => {
    expect(when("en", at, new Date(2026, 10, 3, 23, 0, 0))).toBe("08:04:05");
    expect(when("en", at, new Date(2026, 10, 4, 1, 0, 0))).toBe("3\u00A0Nov 08:04");
    expect(when("zh", at, new Date(2026, 10, 4, 1, 0, 0))).toBe("11月3日 08:04");
  });

  test("the zone is said with its sign", () => {
    const shifted = (minutes: number) => ({ getTimezoneOffset: () => minutes }) as Date;
    expect(zone(shifted(-420))).toBe("UTC+7");
    expect(zone(shifted(210))).toBe("UTC-3:30");
    expect(zone(shifted(0))).toBe("UTC+0");
  });

  test("what is left is rounded up, and never negative", () => {
    const minutes = (n: number) => new Date(at.getTime() + n * 60_000);
    expect(timeLeft(minutes(125.5), at)).toEqual({ hours: 2, minutes: 6 });
    expect(timeLeft(minutes(0.1), at)).toEqual({ hours: 0, minutes: 1 });
    expect(timeLeft(at, at)).toBeNull();
    expect(timeLeft(minutes(-5), at)).toBeNull();
  });
});
