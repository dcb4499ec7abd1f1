/** How a bounded, newest-first list takes in what arrives. Pure: no clock, no network, no page. */

import type { OperationSummary } from "../api/types";

/** Whether `a` tells a later state of the same operation than `b`. Equal counts as not later. */
export function isLater(a: OperationSummary, b: OperationSummary): boolean {
  if (a.updated_at !== b.updated_at) return a.updated_at > b.updated_at;
  return (a.entry ?? -1) > (b.entry ?? -1);
}

const newestFirst = (a: OperationSummary, b: OperationSummary): number =>
  a.requested_at === b.requested_at ? (a.id < b.id ? 1 : -1) : a.requested_at < b.requested_at ? 1 : -1;

/**
 * The list after `arrived`. Of two tellings of one operation the later wins, whatever order they came in; operations
 * outside `state` (when given) leave; at most `max` stay, the newest by time of request. Rows that did not change keep
 * their identity, and an unchanged list is returned as it is.
 */
export function merge(
  list: readonly OperationSummary[],
  arrived: readonly OperationSummary[],
  options: { state: string | null; max: number },
): readonly OperationSummary[] {
  const byId = new Map(list.map((each) => [each.id, each]));
  let changed = false;
  for (const each of arrived) {
    const known = byId.get(each.id);
    if (known && !isLater(each, known)) continue;
    if (options.state !== null && each.state !== options.state) {
      changed = byId.delete(each.id) || changed;
      continue;
    }
    byId.set(each.id, each);
    changed = true;
  }
  if (!changed) return list;
  return [...byId.values()].sort(newestFirst).slice(0, options.max);
}
