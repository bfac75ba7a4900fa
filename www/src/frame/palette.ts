// SPDX-License-Identifier: Apache-2.0
// What Ctrl+K offers: screens and projects at once, tickets as one types.
import { get, query } from "../lib/api";
import { t, type Key } from "../lib/i18n.svelte";
import type { SearchHit } from "../lib/model";
import { adminScreens } from "./screens";
import { go } from "../lib/router.svelte";
import { app } from "../lib/state.svelte";
import type { IconName } from "../ui/Icon.svelte";

export interface Offer {
  id: string;
  icon: IconName;
  text: string;
  detail: string;
  run: () => void;
}

/** Half and full width, capitals and kana read alike. */
export const fold = (text: string) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[ァ-ヶ]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0x60));

function screens(): Offer[] {
  const list: [Key, string, IconName][] = [
    ["my_work", "/my", "home"],
    ["programs", "/", "tree"],
    ...(app.session?.is_support ? [] : ([["account", "/account", "person"]] as [Key, string, IconName][])),
    ["guide", "/help/start", "help"],
  ];
  list.push(...adminScreens());
  return list.map(([key, to, icon]) => ({ id: `go${to}`, icon, text: t(key), detail: t("go_to"), run: () => go(to) }));
}

/** At once, from what the page knows. */
export function offersAtHand(q: string): Offer[] {
  const projects: Offer[] = app.projects.map((p) => ({
    id: `p${p.id}`,
    icon: "gantt",
    text: p.name,
    detail: p.key,
    run: () => go(`/projects/${p.key}/gantt`),
  }));
  const folded = fold(q.trim());
  return [...projects, ...screens()].filter((o) => !folded || fold(`${o.text} ${o.detail}`).includes(folded)).slice(0, 8);
}

/** From the server; some of it may be at hand already. */
export async function offersFound(q: string): Promise<Offer[]> {
  if (!q.trim()) return [];
  const reply = await get<{ items: SearchHit[] }>(`/search${query({ q: q.trim(), limit: 30 })}`);
  return reply.items.filter((hit) => hit.kind !== "ticket" || hit.project).map(found);
}

function found(hit: SearchHit): Offer {
  if (hit.kind === "program") return { id: `g${hit.id}`, icon: "tree", text: hit.subject, detail: `${hit.key} · ${t("program")}`, run: () => go("/") };
  if (hit.kind === "project") return { id: `p${hit.id}`, icon: "gantt", text: hit.subject, detail: hit.key, run: () => go(`/projects/${hit.key}/gantt`) };
  return {
    id: `t${hit.id}`,
    icon: "list",
    text: hit.subject,
    detail: `${hit.key} · ${hit.project!.name}`,
    run: () => go(`/projects/${hit.project!.key}/tickets?ticket=${hit.key}`),
  };
}
