// SPDX-License-Identifier: Apache-2.0
// Which tab a change was made in: its own tab sends it, and another one only
// when that tab is gone.
import { newKey } from "./once";

const KEY = "yagura:tab";
const ORPHAN_MS = 10 * 60_000; // without locks (plain HTTP), as long as that

let id = "";
/** The same after a reload; a duplicated tab gets one of its own. */
export async function thisTab(): Promise<string> {
  if (id) return id;
  let mine = sessionStorage.getItem(KEY) ?? newKey();
  if (navigator.locks) {
    if ((await livingTabs()).has(mine)) mine = newKey();
    void navigator.locks.request(`tab:${mine}`, () => new Promise(() => undefined));
  }
  sessionStorage.setItem(KEY, mine);
  return (id ||= mine);
}

async function livingTabs(): Promise<Set<string>> {
  const { held } = await navigator.locks.query();
  return new Set((held ?? []).flatMap((l) => (l.name?.startsWith("tab:") ? [l.name.slice(4)] : [])));
}

/** Of what other pages have left unsent: what falls to this tab. */
export async function orphans<T extends { tab: string; at: number }>(all: T[]): Promise<T[]> {
  if (!all.length) return [];
  const mine = await thisTab();
  const living = navigator.locks ? await livingTabs() : null;
  return all.filter((x) => x.tab === mine || (living ? !living.has(x.tab) : Date.now() - x.at > ORPHAN_MS));
}
