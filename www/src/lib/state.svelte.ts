// SPDX-License-Identifier: Apache-2.0
// What the whole page knows: who is signed in, the programs and projects one
// may see, the catalogue, messages at the bottom.
import { ApiError, get, isConsole, whenNetworkChanges, whenSessionEnds } from "./api";
import { i18n, setLang, t } from "./i18n.svelte";
import { forgetKept, keepFor } from "./keep";
import { forgetLanguage, saveLanguage, unsavedLanguage } from "./language";
import type { Classification, CustomField, Label, Program, Project, Role, Session, StandardField, Status, TeamName, TicketItem } from "./model";

export type { Classification, Person, Program, Project, Role, Session, Status } from "./model";

export interface Toast {
  id: number;
  text: string;
  kind: "info" | "danger" | "note";
  action?: { label: string; run: () => void } | undefined;
}

export const app = $state({
  step: "loading" as "loading" | "signed_out" | "code" | "locked" | "terms" | "closed" | "ready",
  session: null as Session | null,
  programs: [] as Program[],
  projects: [] as Project[],
  projectsLoaded: false,
  classifications: [] as Classification[],
  roles: [] as Role[],
  labels: [] as Label[],
  teams: [] as TeamName[],
  fields: [] as CustomField[],
  standard: [] as StandardField[],
  toasts: [] as Toast[],
  offline: false,
  /** The address names no tenant, or one that is not there. */
  noTenant: false,
  /** Requests from this network are refused, in the server's words. */
  refused: "",
  /** The ticket saved last, so that lists show it without asking again. */
  saved: null as TicketItem | null,
  /** Counts changes that lists cannot take in row by row. */
  stale: 0,
});

whenSessionEnds((rule) => {
  if (rule === "locked") app.step = "locked";
  else if (rule === "terms") app.step = "terms";
  else if (rule.startsWith("tenant_")) app.step = "loading"; // looks again: closed to whom, or suspended
  else if (rule === "code_required") app.step = "code";
  else app.step = "signed_out";
});
whenNetworkChanges((reached) => (app.offline = !reached));

export async function loadProjects() {
  const reply = await get<{ programs: Program[]; projects: Project[] }>("/programs");
  app.programs = reply.programs;
  app.projects = reply.projects;
  app.projectsLoaded = true;
}

/** After sign-in, and at every start. */
export async function start() {
  try {
    app.session = await get<Session>("/session");
    keepFor(app.session.user.id);
    const chosen = unsavedLanguage();
    if (chosen) app.session.user.lang = chosen;
    if (chosen) void saveLanguage(chosen).catch(complain);
    setLang(app.session.user.lang);
    const gate = app.session.terms_owed ? "terms" : app.session.ending?.is_closed ? "closed" : null;
    if (isConsole || gate) {
      app.step = gate ?? "ready";
      return;
    }
    const [catalogue] = await Promise.all([
      get<{ classifications: Classification[]; roles: Role[]; labels: Label[]; teams: TeamName[]; fields: CustomField[]; standard: StandardField[] }>("/catalogue"),
      loadProjects(),
    ]);
    app.classifications = catalogue.classifications;
    app.roles = catalogue.roles;
    app.labels = catalogue.labels;
    app.teams = catalogue.teams;
    app.fields = catalogue.fields;
    app.standard = catalogue.standard;
    app.step = "ready";
  } catch (error) {
    app.noTenant = error instanceof ApiError && error.rule === "tenant";
    app.refused = error instanceof ApiError && ["address", "tenant_suspended", "tenant_closed"].includes(error.rule) ? error.message : "";
    const known = app.noTenant || app.refused || (error instanceof ApiError && error.status === 401);
    if (app.step === "loading" && known) app.step = "signed_out";
    if (!known) setTimeout(start, 3000); // the banner says what is wrong
  }
}

/** Signed out: nothing of the last person stays. */
export function forget() {
  forgetLanguage();
  forgetKept();
  app.session = null;
  app.programs = [];
  app.projects = [];
  app.projectsLoaded = false;
  app.step = "signed_out";
}

let nextToast = 1;
export function toast(text: string, kind: Toast["kind"] = "info", action?: Toast["action"]) {
  const id = nextToast++;
  app.toasts = [...app.toasts.slice(-3), { id, text, kind, action }];
  setTimeout(() => dismiss(id), kind === "danger" || action ? 8000 : 4000);
}
export function dismiss(id: number) {
  app.toasts = app.toasts.filter((x) => x.id !== id);
}

/** What went wrong, in words; sessions and the network have their own signs. */
export function complain(error: unknown) {
  if (error instanceof ApiError) {
    if (error.status !== 401) toast(error.message, "danger");
  } else {
    toast(t("offline"), "danger");
  }
}

export const classificationOf = (key: string) => app.classifications.find((c) => c.key === key);
const statusIndex = $derived.by(() => {
  const index = new Map<string, Status>();
  for (const c of app.classifications) for (const s of c.statuses) index.set(s.id, s);
  return index;
});
export function statusOf(id: string): Status | undefined {
  return statusIndex.get(id);
}
export const nameIn = (w: { ja: string; en: string } | undefined) => w?.[i18n.lang] ?? "";
export const projectByKey = (key: string) => app.projects.find((p) => p.key === key);
export const may = (rights: string[] | undefined, right: string) => rights?.includes(right) ?? false;
