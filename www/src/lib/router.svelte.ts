// SPDX-License-Identifier: Apache-2.0
// The address is the state: path and query, under the tenant's base.
import { base } from "./api";

function read() {
  const path = location.pathname.slice(base.length) || "/";
  return { path, query: new URLSearchParams(location.search), hash: location.hash.slice(1) };
}

export const route = $state(read());

function refresh() {
  Object.assign(route, read());
}
addEventListener("popstate", refresh);

export function go(to: string) {
  history.pushState(null, "", base + to);
  refresh();
}

/** Changes query parameters only; null removes one. */
export function setQuery(values: Record<string, string | null>, replace = true) {
  const q = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(values)) v === null ? q.delete(k) : q.set(k, v);
  const text = q.toString();
  const url = location.pathname + (text ? `?${text}` : "");
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  refresh();
}

/** For <a>: keeps modified clicks (new tab) as the browser does them. */
export function follow(event: MouseEvent) {
  const a = event.currentTarget as HTMLAnchorElement;
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", a.href);
  refresh();
}

export const href = (to: string) => base + to;
