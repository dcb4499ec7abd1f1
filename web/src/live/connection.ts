/**
 * The one live line to the server: connects, resumes, notices silence, and says honestly which of these it is doing.
 *
 * It holds no operations. Whoever wants them subscribes; see `operation-list.ts`.
 */

import { signal } from "@preact/signals";
import { EventParser, type StreamEvent } from "../api/event-stream";
import type { OperationSummary } from "../api/types";
import { backoffMs } from "./backoff";

export type Connection =
  | { kind: "off" }
  | { kind: "connecting" }
  | { kind: "live" }
  /** `since`: when we last heard anything; null when never. */
  | { kind: "reconnecting"; since: Date | null };

export const connection = signal<Connection>({ kind: "off" });

/** The server sends a comment every 15 s: twice that and some, and the line is dead whatever TCP believes. */
const SILENCE_MS_MAX = 35_000;

export interface Listener {
  operation(summary: OperationSummary): void;
  /** What was missed cannot be replayed: load a fresh snapshot. Also called once after each plain connect. */
  reload(): void;
}

const listeners = new Set<Listener>();
let lastId = "";
let stop: AbortController | null = null;
/** Called when the server says that the session is over. */
let onSignedOut: () => void = () => {};

/** Registers a listener; the returned function takes it away. A listener that joins late is told to load at once. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  if (connection.peek().kind === "live") listener.reload();
  return () => listeners.delete(listener);
}

/** Opens the line; does nothing when it is open. */
export function connect(signedOut: () => void): void {
  onSignedOut = signedOut;
  if (stop) return;
  stop = new AbortController();
  connection.value = { kind: "connecting" };
  void run(stop.signal);
}

/** Closes the line and forgets where it was. */
export function disconnect(): void {
  stop?.abort();
  stop = null;
  lastId = "";
  connection.value = { kind: "off" };
}

async function run(stopped: AbortSignal): Promise<void> {
  let heard: Date | null = null;
  for (let attempt = 0; !stopped.aborted; attempt += 1) {
    const outcome = await readOnce(stopped, () => {
      heard = new Date();
      attempt = 0;
    });
    if (stopped.aborted) return;
    if (outcome === "signed_out") {
      disconnect();
      onSignedOut();
      return;
    }
    connection.value = { kind: "reconnecting", since: heard };
    await pause(backoffMs(attempt, Math.random()), stopped);
  }
}

/** Waits, but goes on at once when the network returns or the page is looked at again. */
function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      document.removeEventListener("visibilitychange", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener("online", done);
    document.addEventListener("visibilitychange", done);
    stopped.addEventListener("abort", done, { once: true });
  });
}

async function readOnce(stopped: AbortSignal, heard: () => void): Promise<"ended" | "signed_out"> {
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  stopped.addEventListener("abort", abort);
  let watchdog = setTimeout(abort, SILENCE_MS_MAX);
  try {
    const resumed = lastId !== "";
    const query = resumed ? `?after=${encodeURIComponent(lastId)}` : "";
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (resumed) headers["last-event-id"] = lastId;
    const response = await fetch(`/v1/stream${query}`, { headers, cache: "no-store", signal: attempt.signal });
    if (response.status === 401) return "signed_out";
    if (!response.ok || !response.body) return "ended";
    connection.value = { kind: "live" };
    heard();
    // The stream is open before the snapshot is asked for, so nothing can fall between the two.
    if (!resumed) for (const each of listeners) each.reload();
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "ended";
      clearTimeout(watchdog);
      watchdog = setTimeout(abort, SILENCE_MS_MAX);
      heard();
      for (const event of parser.push(value)) receive(event);
    }
  } catch {
    return "ended";
  } finally {
    clearTimeout(watchdog);
    stopped.removeEventListener("abort", abort);
    attempt.abort();
  }
}

function receive(event: StreamEvent): void {
  if (event.type === "reload") {
    // Without this a server that ends the stream after `reload` would send us round in circles.
    lastId = event.id;
    for (const each of listeners) each.reload();
    return;
  }
  if (event.id !== "") lastId = event.id;
  if (event.type !== "operation") return;
  const summary = JSON.parse(event.data) as OperationSummary;
  for (const each of listeners) each.operation(summary);
}
