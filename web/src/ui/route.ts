/** Which page is shown, and how links move between pages without loading anew. */

import { signal } from "@preact/signals";

export type Route = { page: "operations"; state: string | null } | { page: "operation"; id: string };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads an address of ours; anything unknown below `/console` is the list. */
export function parseRoute(path: string, query: string): Route {
  const id = /^\/console\/operations\/([^/]+)\/?$/.exec(path)?.[1] ?? "";
  if (UUID.test(id)) return { page: "operation", id: id.toLowerCase() };
  return { page: "operations", state: new URLSearchParams(query).get("state") };
}

export const operationPath = (id: string): string => `/console/operations/${id}`;

export const listPath = (state: string | null): string =>
  state === null ? "/console" : `/console?state=${encodeURIComponent(state)}`;

export const route = signal<Route>({ page: "operations", state: null });

/** Goes to an address of ours. */
export function go(path: string): void {
  const before = route.peek().page;
  history.pushState(null, "", path);
  show();
  if (route.peek().page !== before) window.scrollTo(0, 0);
}

function show(): void {
  const before = route.peek().page;
  route.value = parseRoute(location.pathname, location.search);
  // A new page is read from its beginning; a change of filter leaves the focus where it is.
  if (route.peek().page !== before) document.getElementById("content")?.focus({ preventScroll: true });
}

/** Reads the address, follows the back button, and takes over plain clicks on links of ours. */
export function startRouting(): void {
  show();
  window.addEventListener("popstate", show);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!/^\/console(\/|$)/.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
