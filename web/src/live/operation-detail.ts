/** One operation, loaded and kept up to date by the live line. */

import { signal, type Signal } from "@preact/signals";
import * as api from "../api/client";
import type { OperationDetail } from "../api/types";
import { listen } from "./connection";

export type Loaded<T> = { kind: "loading" } | { kind: "ready"; value: T } | { kind: "failed"; cause: unknown };

export interface Detail {
  state: Signal<Loaded<OperationDetail>>;
  reload(): Promise<void>;
  close(): void;
}

/** Starts with a load; every change that the stream tells of loads again. What is shown stays until then. */
export function openDetail(id: string): Detail {
  const state = signal<Loaded<OperationDetail>>({ kind: "loading" });
  let round = 0;

  async function reload(): Promise<void> {
    const mine = ++round;
    try {
      const value = await api.operation(id);
      if (mine === round) state.value = { kind: "ready", value };
    } catch (cause) {
      const shown = state.peek().kind === "ready" && !(cause instanceof api.ApiError && cause.status === 404);
      // A page that is already shown stays: the bar above says that the line is lost.
      if (mine === round && !shown) state.value = { kind: "failed", cause };
    }
  }

  void reload();
  const leave = listen({
    operation(summary) {
      if (summary.id === id) void reload();
    },
    reload() {
      void reload();
    },
  });
  return {
    state,
    reload,
    close() {
      round += 1;
      leave();
    },
  };
}
