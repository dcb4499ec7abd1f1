/**
 * The list of operations that the console shows: a snapshot, kept up to date by the live line, repainted at most four
 * times a second, bounded, and still while somebody reads it.
 */

import { batch, computed, signal } from "@preact/signals";
import * as api from "../api/client";
import type { OperationSummary } from "../api/types";
import { listen } from "./connection";
import { merge } from "./merge";

/** Rows kept in memory and on the page. */
export const ROWS_MAX = 500;
const SNAPSHOT_ROWS = 200;
const REPAINT_MS = 250;
/** Arrivals kept while the list is held still; beyond it a fresh snapshot is cheaper. */
const WAITING_MAX = 2_000;

export type LoadState = "loading" | "ready" | "failed";

export const rows = signal<readonly OperationSummary[]>([]);
export const load = signal<LoadState>("loading");
export const stateFilter = signal<string | null>(null);
/** Stopped by the button, until the button is pressed again. */
export const paused = signal(false);
/** Stopped because the pointer is over the list: rows must not move from under a click. */
export const pointed = signal(false);
/** Operations that wait for the list to move again. */
export const waiting = signal(0);
export const still = computed(() => paused.value || pointed.value);
/** Operations that came in after the first snapshot: they are marked for a moment. */
export const fresh = new Set<string>();

let queue: OperationSummary[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;
let round = 0;
let loading = false;
let overflowed = false;

function flush(): void {
  timer = null;
  // What is merged while a snapshot is under way would be overwritten by it.
  if (still.peek() || loading) return countWaiting();
  if (overflowed) return void snapshot();
  const arrived = queue;
  queue = [];
  const before = new Set(rows.peek().map((each) => each.id));
  const next = merge(rows.peek(), arrived, { state: stateFilter.peek(), max: ROWS_MAX });
  fresh.clear();
  for (const each of next) if (!before.has(each.id)) fresh.add(each.id);
  batch(() => {
    rows.value = next;
    waiting.value = 0;
  });
}

function countWaiting(): void {
  waiting.value = new Set(queue.map((each) => each.id)).size;
}

function schedule(): void {
  timer ??= setTimeout(flush, REPAINT_MS);
}

/** Loads the list anew. Whatever the stream brings meanwhile is merged on top. */
export async function snapshot(): Promise<void> {
  const mine = ++round;
  loading = true;
  overflowed = false;
  load.value = rows.peek().length === 0 ? "loading" : load.peek();
  const state = stateFilter.peek();
  try {
    const page = await api.operations({ limit: SNAPSHOT_ROWS, ...(state ? { state } : {}) });
    if (mine !== round) return;
    fresh.clear();
    batch(() => {
      rows.value = merge([], page.operations, { state, max: ROWS_MAX });
      waiting.value = 0;
      load.value = "ready";
    });
  } catch {
    if (mine === round) load.value = "failed";
  } finally {
    if (mine === round) {
      loading = false;
      schedule();
    }
  }
}

/** Shows only operations in `state`, or all with null; loads them when `signedIn`. */
export function filterBy(state: string | null, signedIn: boolean): void {
  if (state === stateFilter.peek()) return;
  batch(() => {
    stateFilter.value = state;
    rows.value = [];
    load.value = "loading";
  });
  if (signedIn) void snapshot();
}

export function setPaused(on: boolean): void {
  paused.value = on;
  if (!on) schedule();
}

export function setPointed(on: boolean): void {
  if (pointed.peek() === on) return;
  pointed.value = on;
  if (!on) schedule();
}

/** Starts following the live line; the returned function stops it. */
export function follow(): () => void {
  const leave = listen({
    operation(summary) {
      if (queue.length < WAITING_MAX) queue.push(summary);
      else overflowed = true;
      schedule();
    },
    reload() {
      queue = [];
      overflowed = true;
      if (still.peek() && rows.peek().length > 0) schedule();
      else void snapshot();
    },
  });
  // Not only when the line opens: the list must show even when the stream is blocked on the way.
  void snapshot();
  return () => {
    leave();
    if (timer) clearTimeout(timer);
    timer = null;
    queue = [];
    round += 1;
    loading = false;
    batch(() => {
      rows.value = [];
      load.value = "loading";
      waiting.value = 0;
      paused.value = false;
    });
  };
}
