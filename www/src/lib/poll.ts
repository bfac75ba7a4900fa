// SPDX-License-Identifier: Apache-2.0
// Asks again every so often, only while the page is looked at; one round at a
// time.  Returns how to stop.
export function poll(ask: () => Promise<unknown>, every_ms: number): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout>;
  const round = async () => {
    if (!document.hidden) await ask().catch(() => undefined);
    if (!stopped) timer = setTimeout(round, every_ms);
  };
  timer = setTimeout(round, every_ms);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Calls fn once typing rests. */
export function debounce<A extends unknown[]>(fn: (...args: A) => void, wait_ms: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args: A) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), wait_ms);
  };
}
