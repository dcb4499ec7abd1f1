import { describe, expect, test } from "vitest";
import { EventParser } from "../../src/api/event-stream";
import type { OperationSummary } from "../../src/api/types";
import { backoffMs } from "../../src/live/backoff";
import { merge } from "../../src/live/merge";

const STREAM =
  "\uFEFF: hello\n\nevent: operation\nid: 7\ndata: {\"a\":\ndata: 1}\n\nid: 8\r\ndata:two\r\n\r\n: keep-alive\n\nevent: reload\ndata\n\nevent: lost\n\ndata: cut";

const READ = [
  { type: "operation", data: '{"a":\n1}', id: "7" },
  { type: "message", data: "two", id: "8" },
  { type: "reload", data: "", id: "8" },
];

describe("event stream", () => {
  test("is read the same in pieces of any size", () => {
    for (let size = 1; size <= STREAM.length; size += 1) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
      expect(events, `pieces of ${size}`).toEqual(READ);
    }
  });

  test("a line without an end is given up", () => {
    const parser = new EventParser();
    expect(() => {
      for (let i = 0; i < 20; i += 1) parser.push("x".repeat(100_000));
    }).toThrow(/no end/);
  });
});

const op = (n: number, more: Partial<OperationSummary> = {}): OperationSummary => ({
  id: `00000000-0000-0000-0000-${String(n).padStart(12, "0")}`,
  operation: "replace",
  channel: "web",
  actor_role: "subscriber",
  operator: "456-91",
  subject: "s",
  line: "+855•••••678",
  state: "held",
  verdict: "hold",
  reasons: [],
  requirements: [],
  hold_until: null,
  requested_at: `2026-11-23T18:00:${String(n % 60).padStart(2, "0")}.000000Z`,
  updated_at: `2026-11-23T18:00:${String(n % 60).padStart(2, "0")}.000000Z`,
  entry: n,
  ...more,
});

const all = { state: null, max: 5 };

describe("merge", () => {
  test("keeps the newest first and the list bounded", () => {
    const list = merge([], [3, 1, 7, 2, 9, 4, 8].map((n) => op(n)), all);
    expect(list.map((each) => each.entry)).toEqual([9, 8, 7, 4, 3]);
  });

  test("of two tellings the later wins, whatever order they came in", () => {
    const late = op(1, { state: "completed", updated_at: "2026-11-23T18:09:00.000000Z" });
    expect(merge(merge([], [op(1)], all), [late], all)[0]?.state).toBe("completed");
    expect(merge(merge([], [late], all), [op(1)], all)[0]?.state).toBe("completed");
  });

  test("at the same instant the later ledger entry wins", () => {
    const later = op(1, { state: "frozen", entry: 2 });
    expect(merge([op(1)], [later], all)[0]?.state).toBe("frozen");
    expect(merge([later], [op(1)], all)[0]?.state).toBe("frozen");
  });

  test("an operation that left the filtered state leaves the list", () => {
    const held = { state: "held", max: 5 };
    const gone = op(1, { state: "cancelled", updated_at: "2026-11-23T18:09:00.000000Z" });
    expect(merge([op(1), op(2)], [gone, op(3, { state: "denied" })], held).map((each) => each.entry)).toEqual([2]);
  });

  test("an unchanged list is the same list, an unchanged row the same row", () => {
    const list = merge([], [op(1), op(2)], all);
    expect(merge(list, [op(1)], all)).toBe(list);
    expect(merge(list, [op(3)], all)[2]).toBe(list[1]);
  });
});

test("retries slow down to a bound and are spread", () => {
  expect([0, 1, 2, 3].map((attempt) => backoffMs(attempt, 1))).toEqual([500, 1000, 2000, 4000]);
  expect(backoffMs(1_000, 1)).toBe(15_000);
  expect(backoffMs(1_000, 0)).toBe(7_500);
});
