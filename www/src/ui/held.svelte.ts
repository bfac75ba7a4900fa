// SPDX-License-Identifier: Apache-2.0
// An input that is not written into while somebody uses it: what others save
// meanwhile waits, and its commit says what stood there when that began.
import { untrack } from "svelte";
import type { Attachment } from "svelte/attachments";

/** commit: "unsent" or "refused" when the typed text is to stay. */
export function held<V>(
  value: () => V,
  show: (value: V) => string,
  commit: (typed: string, seen: V) => unknown,
): Attachment<HTMLInputElement | HTMLTextAreaElement> {
  return (node) => {
    let shown = untrack(value);
    let inUse = false;
    let typed = false; // and not taken yet
    const put = (v: V) => (node.value = show((shown = v)));
    untrack(() => put(shown));
    $effect(() => {
      const now = value();
      if (!inUse && !typed && JSON.stringify(now) !== JSON.stringify(shown)) put(now);
    });
    const input = () => (typed = true);
    const focus = () => (inUse = true);
    const change = () => {
      const seen = shown;
      void Promise.resolve(commit(node.value, seen)).then((outcome) => {
        typed = outcome === "unsent" || outcome === "refused";
        if (!typed && !inUse) put(untrack(value));
        else if (!typed) shown = untrack(value);
      });
    };
    const blur = () => {
      inUse = false;
      if (!typed) put(untrack(value));
    };
    const listeners = { input, focus, change, blur };
    for (const [name, fn] of Object.entries(listeners)) node.addEventListener(name, fn);
    return () => {
      for (const [name, fn] of Object.entries(listeners)) node.removeEventListener(name, fn);
    };
  };
}
