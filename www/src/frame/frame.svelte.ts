// SPDX-License-Identifier: Apache-2.0
// What the frame shows over the page, and the keys that work everywhere.
import { del, post } from "../lib/api";
import { ask } from "../lib/ask.svelte";
import { setLang, t } from "../lib/i18n.svelte";
import { isComposing, onPageKeys } from "../lib/keys";
import { saveLanguage } from "../lib/language";
import type { Lang } from "../lib/model";
import { go, route, setQuery } from "../lib/router.svelte";
import { app, complain, forget, toast } from "../lib/state.svelte";
import { closeSenders, countUnsent, forgetSteps, redoLast, undoLast } from "../lib/undo.svelte";

export const frame = $state({
  palette: false,
  help: false,
  drawer: false, // the side menu on a narrow screen
  collapsed: false, // to its icons on a wide one
  adding: false, // a new ticket in the project at hand
  order: [] as string[], // keys of the tickets as the list shows them
});

/** The project of the address, the screen in it. */
export function place(path: string) {
  const parts = path.split("/").slice(1);
  const inProject = parts[0] === "projects";
  const key = inProject ? parts[1] : parts[0] === "tickets" ? parts[1]?.replace(/-\d+$/, "") : undefined;
  return {
    parts,
    project: key ? app.projects.find((p) => p.key === key) : undefined,
    page: inProject ? (parts[2] ?? "overview") : parts[0] || "programs",
  };
}

async function step(move: () => Promise<string | null>, some: "undone_named" | "redone_named", none: "undo_none" | "redo_none") {
  try {
    const name = await move();
    if (name === null) toast(t(none), "note");
    else if (name) toast(t(some, { name }));
  } catch (error) {
    complain(error);
  }
}
const here = () => place(route.path).project?.id;
export const undoStep = () => step(() => undoLast(here()), "undone_named", "undo_none");
export const redoStep = () => step(() => redoLast(here()), "redone_named", "redo_none");

let goAt = 0;
const afterG: Record<string, () => void> = {
  m: () => go("/my"),
  p: () => go("/"),
  t: () => inProject("tickets"),
  g: () => inProject("gantt"),
};
function inProject(screen: string) {
  const project = place(route.path).project ?? app.projects[0];
  if (project) go(`/projects/${project.key}/${screen}`);
}

const keys = onPageKeys({
  "ctrl+k": () => (frame.palette = true),
  "?": () => (frame.help = true),
  "ctrl+z": () => void undoStep(),
  "ctrl+shift+z": () => void redoStep(),
  "ctrl+y": () => void redoStep(),
  c: () => {
    if (place(route.path).project?.rights.includes("ticket_add")) frame.adding = true;
  },
  g: () => (goAt = performance.now()),
  escape: () => {
    frame.drawer = false;
    if (route.query.has("ticket")) setQuery({ ticket: null }, false);
  },
});

export function pageKeys(event: KeyboardEvent) {
  const letter = event.key.toLowerCase();
  const isSecond = performance.now() - goAt < 1000 && !event.ctrlKey && !event.metaKey && !isComposing(event);
  if (isSecond && afterG[letter]) {
    goAt = 0;
    event.preventDefault();
    afterG[letter]!();
    return;
  }
  keys(event);
}

/** A supporter's way out: the grant ends with it. */
export async function leaveSupport() {
  await post("/support/leave").then(leave, complain);
}

export async function signOut() {
  const n = countUnsent();
  const choices = [{ id: "no", label: t("cancel"), kind: "primary" as const }, { id: "yes", label: t("sign_out_anyway"), kind: "danger" as const }];
  if (n && (await ask({ title: t("sign_out_title"), text: t("sign_out_unsent", { n }), stakes: [], choices, otherwise: "no" })) !== "yes") return;
  await del("/session").catch(() => undefined);
  leave();
}

function leave() {
  forgetSteps();
  closeSenders();
  forget();
  go("/");
}

export function chooseLanguage(lang: Lang) {
  setLang(lang);
  if (app.session) app.session.user.lang = lang;
  if (!app.session?.is_support) saveLanguage(lang).catch(complain);
}
