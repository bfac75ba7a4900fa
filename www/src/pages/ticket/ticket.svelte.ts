// SPDX-License-Identifier: Apache-2.0
// One ticket while it is looked at: every field is saved at once, one request
// after the other, so that our own saves never look stale to each other.  What
// somebody else changed meanwhile is merged field by field; only the same
// field asks.
import { ApiError, del, get, patch, post } from "../../lib/api";
import { ask, whoChanged } from "../../lib/ask.svelte";
import { formatDay, hours } from "../../lib/format";
import { i18n, t, word, type Key } from "../../lib/i18n.svelte";
import { keep, kept, keptOne } from "../../lib/keep";
import { mergeLines } from "../../lib/merge";
import type { LinkKind, Ticket } from "../../lib/model";
import { app, classificationOf, complain, nameIn, statusOf, toast } from "../../lib/state.svelte";
import { inTurn } from "../../lib/turn";
import { addSender, remember } from "../../lib/undo.svelte";

export type Field =
  | "subject" | "details" | "classification" | "status" | "priority" | "parent" | "assignees" | "planned_start"
  | "planned_end" | "actual_start" | "actual_end" | "due" | "progress" | "estimate" | "actual" | "manual"
  | "labels" | "team" | `custom:${string}`;
export type Value = string | number | boolean | string[] | null;

/** A field as PATCH takes it. */
export const valueOf = (ticket: Ticket, field: Field): Value =>
  field === "assignees" ? ticket.assignees.map((a) => a.id) : isCustom(field) ? (ticket.fields.find((f) => f.field === idOf(field))?.value ?? null) : ticket[field];
type Custom = Extract<Field, `custom:${string}`>;
const isCustom = (field: Field): field is Custom => field.startsWith("custom:");
const idOf = (field: Field) => field.slice("custom:".length);
const bodyOf = (field: Field, value: Value) => (isCustom(field) ? { fields: [{ field: idOf(field), value }] } : { [field]: value });
/** What a field is called. */
export function nameOf(field: Field) {
  const custom = isCustom(field) && app.fields.find((f) => f.id === idOf(field));
  return custom ? word(custom) : t(field as Key);
}
/** "fields.12" and "edits.0.subject" as the panel knows them. */
const errorKey = (name: string) => name.replace(/^.*?fields\.(\d+)$/, "custom:$1").split(".").at(-1)!;
const same = (a: Value, b: Value) => JSON.stringify(a) === JSON.stringify(b);

function rememberField(item: Pick<Ticket, "id" | "key" | "project">, field: Field, before: Value, after: Value, at: number) {
  const set = async (value: Value, left: Value) => (await saveField(item, field, value, left, true)) === "saved";
  remember({
    label: t("ticket_step", { key: item.key, field: nameOf(field) }),
    project: item.project.id,
    at,
    undo: () => set(before, after),
    redo: () => set(after, before),
  });
}

function announce(ticket: Ticket) {
  app.saved = ticket;
}

/** As the reader knows the value. */
export function show(ticket: Ticket, field: Field, value: Value): string {
  if (value === null || value === "") return "";
  if (Array.isArray(value)) return value.map((id) => ticket.assignees.find((a) => a.id === id)?.name ?? id).join(", ");
  if (typeof value === "boolean") return t(value ? "on" : "off");
  switch (field) {
    case "status": return nameIn(statusOf(String(value)));
    case "classification": return nameIn(classificationOf(String(value)));
    case "priority": return t(value as Key);
    case "progress": return `${value}%`;
    case "estimate":
    case "actual": return hours(Number(value));
    default: return /^\d{4}-\d\d-\d\d$/.test(String(value)) ? formatDay(String(value), i18n.lang) : String(value);
  }
}

/** saved: the server has it, or has it merged; theirs: the other one's stays;
 * edit: back to the text; unsent: waits for the server; refused: it says why. */
export type Outcome = "saved" | "theirs" | "edit" | "unsent" | "refused";

/** Saves a field of a list's row, or takes one back: on what the person saw
 * (before), or asks. */
export async function saveField(item: { id: string; key: string }, field: Field, value: Value, before: Value, isBack = false): Promise<Outcome> {
  const editor = new TicketEditor(item.id);
  try {
    await editor.load();
    if (editor.error) throw editor.error;
    return await editor.save(field, value, before, isBack);
  } finally {
    if (!editor.unsent) editor.close();
  }
}

/** One field that the server does not have yet. */
interface Wish {
  field: Field;
  value: Value;
  before: Value; // what the person saw
  isBack: boolean; // undo or redo: no step of its own
  at: number; // ms, when the person saved it
  project: string; // id, of its ticket
}

/** What this page saved last, by ticket and field. */
const own = new Map<string, Value>();

const RETRY_MS = 3000;
const isTrouble = (error: unknown) => !(error instanceof ApiError) || error.status >= 500 || [401, 429].includes(error.status);

export class TicketEditor {
  ticket = $state.raw<Ticket | null>(null);
  error = $state<unknown>(null);
  errors = $state<Record<string, string>>({});
  saving = $state(0);
  failed = $state.raw<Wish[]>([]);
  /** In words, when something can be done about it. */
  trouble = $state("");
  /** Who has deleted it meanwhile. */
  gone = $state<{ by: string } | null>(null);
  /** Counts saves: the history below reads itself anew. */
  stamp = $state(0);
  /** Counts files put into a text: the list of files reads itself anew. */
  files = $state(0);
  private readonly key: string;
  private readonly turn = inTurn();
  private readonly forget: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(key: string) {
    this.key = key;
    this.forget = addSender(this);
  }
  /** The panel is left; what is not saved yet goes on being tried. */
  leave() {
    if (!this.unsent) this.close();
  }
  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.forget();
  }
  get project() {
    return this.ticket?.project.id ?? "";
  }
  get unsent() {
    return this.failed.length + this.saving;
  }
  settled() {
    return this.failed.length ? Promise.resolve() : this.turn(async () => undefined);
  }
  withdraw() {
    return null;
  }
  get canEdit() {
    const rights = this.ticket?.rights ?? [];
    return rights.includes("ticket_edit") || rights.includes("ticket_edit_own");
  }
  /** Days and progress of a parent come from its children. */
  get isDerived() {
    return (this.ticket?.children.length ?? 0) > 0;
  }

  async load() {
    this.error = null;
    try {
      this.take(await get<Ticket>(`/tickets/${encodeURIComponent(this.key)}`));
      const left = kept<Wish>(`field:${this.ticket!.id}:`).map(([, wish]) => wish);
      if (!left.length || this.failed.length) return;
      this.failed = left;
      this.retry();
    } catch (error) {
      this.error = error;
    }
  }
  /** What an earlier page could not save, tried as long as that may help; what
   * has no place any more is offered back. */
  async resume(): Promise<void> {
    for (await this.load(); this.error && isTrouble(this.error); await this.load()) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (this.isClosed) return;
    }
    if (!(this.error instanceof ApiError)) return;
    const left = kept<Wish>(`field:${this.key}:`).map(([, wish]) => wish);
    if (!left.length) return;
    const isDeleted = this.error.rule === "deleted" && left.every((wish) => wish.project);
    const answer = await ask({
      title: t(isDeleted ? "gone_title" : "unmade_field"),
      text: this.error.message,
      stakes: [],
      typed: left.map((wish) => `${nameOf(wish.field)}: ${String(wish.value ?? "")}`).join("\n"),
      choices: [{ id: "drop", label: t("gone_drop") }, ...(isDeleted ? [{ id: "restore", label: t("gone_restore"), kind: "primary" as const }] : [])],
      otherwise: "later",
    });
    if (answer === "restore" && (await this.bringBack(left[0]!.project, this.key))) return this.resume();
    if (answer === "drop") for (const wish of left) keep(`field:${this.key}:${wish.field}`, null);
    this.close();
  }
  /** What others did meanwhile; never in the middle of our own. */
  async look() {
    if (this.saving || !this.ticket || this.gone) return;
    try {
      const now = await get<Ticket>(`/tickets/${this.ticket.id}`);
      if (!this.saving && now.version > this.ticket.version) this.take(now);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.gone = { by: error.body.deleted_by?.name ?? t("somebody") };
    }
  }
  take(ticket: Ticket) {
    this.ticket = ticket;
    this.gone = null;
    this.stamp++;
  }

  /** before: what the person saw when he began; the poll may have gone on. */
  async save(field: Field, value: Value, before?: Value, isBack = false): Promise<Outcome> {
    if (!this.ticket) return "refused";
    const wish: Wish = { field, value, before: before === undefined ? valueOf(this.ticket, field) : before, isBack, at: Date.now(), project: this.project };
    if (same(wish.before, value)) return "saved";
    const older = this.failed.find((x) => x.field === field);
    if (older) wish.before = older.before;
    this.saving++;
    return this.turn(() => this.send(wish)).finally(() => this.saving--);
  }

  private async send(wish: Wish): Promise<Outcome> {
    const { [wish.field]: _, ...others } = this.errors;
    this.errors = others;
    try {
      for (;;) {
        const ticket = this.ticket!;
        const outcome = await this.settle(wish, ticket);
        if (outcome) return outcome;
        try {
          const reply = await patch<Ticket>(`/tickets/${ticket.id}`, bodyOf(wish.field, wish.value), ticket.version);
          this.done(wish, reply);
          return "saved";
        } catch (error) {
          if (!(error instanceof ApiError) || ![404, 412].includes(error.status)) throw error;
          this.take(await get<Ticket>(`/tickets/${ticket.id}`));
          if (error.status === 404) throw error; // it is there, but not ours to change
        }
      }
    } catch (error) {
      return this.explain(error, wish);
    }
  }
  private done(wish: Wish, reply: Ticket) {
    const { ticket } = this;
    this.drop(wish);
    own.set(`${ticket!.id} ${wish.field}`, wish.value);
    if (!wish.isBack && !same(wish.before, wish.value)) rememberField(ticket!, wish.field, wish.before, wish.value, wish.at);
    this.take(reply);
    announce(reply);
  }
  /** It is done with, and what it replaced; not what was typed after it. */
  private drop({ field, at }: Wish) {
    this.failed = this.failed.filter((x) => x.field !== field || x.at > at);
    const name = `field:${this.ticket!.id}:${field}`;
    if ((keptOne<Wish>(name)?.at ?? 0) <= at) keep(name, null);
    if (!this.failed.length) this.trouble = "";
  }

  /** Somebody was first: another field of theirs is no conflict, other lines of
   * a text are put together; null: to be written. */
  private async settle(wish: Wish, ticket: Ticket): Promise<Outcome | null> {
    const { field } = wish;
    const theirs = valueOf(ticket, field);
    if (same(theirs, wish.value)) {
      this.drop(wish);
      return "saved";
    }
    if (same(theirs, wish.before)) return null;
    // one's own save that was under way while this was typed
    if (!wish.isBack && own.has(`${ticket.id} ${field}`) && same(theirs, own.get(`${ticket.id} ${field}`)!)) return null;
    const who = await whoChanged(ticket.id, field);
    const by = who.by || t("somebody");
    const isText = field === "details";
    const merged = isText ? mergeLines(String(wish.before ?? ""), String(wish.value ?? ""), String(theirs ?? "")) : null;
    if (merged !== null) {
      wish.value = merged;
      wish.before = theirs;
      if (same(merged, theirs)) {
        this.drop(wish);
        return "saved";
      }
      toast(t("merged_text", { by }));
      return null;
    }
    const answer = await ask({
      title: t(wish.isBack ? "undo_conflict_title" : "conflict_title"),
      text: wish.isBack ? t("undo_conflict_text", { what: nameOf(field) }) : isText ? t("details_conflict", { by }) : t("field_conflict", { by, field: nameOf(field) }),
      stakes: [{ name: ticket.key, field: nameOf(field), mine: show(ticket, field, wish.value), theirs: show(ticket, field, theirs), ...who }],
      choices: [
        ...(isText && !wish.isBack ? [{ id: "edit", label: t("conflict_edit") }] : []),
        { id: "mine", label: t(wish.isBack ? "undo_anyway" : "conflict_mine"), kind: "danger" },
        { id: "theirs", label: t("conflict_theirs"), kind: "primary" },
      ],
      otherwise: isText && !wish.isBack ? "edit" : "theirs",
    });
    if (answer === "mine") {
      wish.before = theirs;
      return null;
    }
    this.drop(wish);
    return answer as Outcome;
  }

  private async explain(error: unknown, wish: Wish): Promise<Outcome> {
    const { field } = wish;
    // no line, too busy, locked, full: it waits, the mark in the head says so
    if (isTrouble(error) && !this.isClosed) {
      if (this.failed.some((x) => x.field === field && x.at > wish.at)) return "unsent"; // a newer one waits
      this.failed = [...this.failed.filter((x) => x.field !== field), wish];
      this.trouble = error instanceof ApiError && error.status === 507 ? `${error.message} ${t("full_advice")}` : "";
      keep(`field:${this.ticket!.id}:${field}`, wish);
      this.later(this.trouble ? 20 * RETRY_MS : RETRY_MS);
      return "unsent";
    }
    if (error instanceof ApiError && error.rule === "deleted") {
      this.gone = { by: error.body.deleted_by?.name ?? t("somebody") };
      return this.offerBack(wish);
    }
    const found = error instanceof ApiError ? error.errors.filter((e) => e.field) : [];
    this.errors = { ...this.errors, ...Object.fromEntries(found.map((e) => [errorKey(e.field), e.message])) };
    if (!found.some((e) => errorKey(e.field) === field)) complain(error);
    this.drop(wish);
    this.ticket = this.ticket && { ...this.ticket }; // choices show the stored value again
    return "refused";
  }
  private async offerBack(wish: Wish): Promise<Outcome> {
    const ticket = this.ticket!;
    const answer = await ask({
      title: t("gone_title"),
      text: t("gone_text", { by: this.gone!.by, name: ticket.subject }),
      stakes: [],
      typed: show(ticket, wish.field, wish.value),
      choices: [{ id: "theirs", label: t("gone_drop") }, { id: "restore", label: t("gone_restore"), kind: "primary" }],
      otherwise: "theirs",
    });
    if (answer !== "restore" || !(await this.restore())) {
      this.drop(wish);
      return "refused"; // what was typed stays where it is
    }
    return this.send(wish);
  }
  /** Back from the bin. */
  restore(): Promise<boolean> {
    return this.bringBack(this.ticket!.project.id, this.ticket!.id);
  }
  private async bringBack(project: string, id: string): Promise<boolean> {
    try {
      await post(`/projects/${project}/edits`, { edits: [{ op: "restore", id }] });
      this.take(await get<Ticket>(`/tickets/${id}`));
      app.stale++;
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  }

  private later(after_ms: number) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (app.step === "ready" ? this.retry() : this.later(RETRY_MS)), after_ms);
  }
  retry() {
    clearTimeout(this.timer);
    for (const wish of this.failed) {
      this.saving++;
      const isWaiting = () => this.failed.some((x) => x.field === wish.field && x.at === wish.at);
      void this.turn(async () => isWaiting() && this.send({ ...wish })).finally(() => this.saving--);
    }
  }

  // ---- dependencies, by the plan's edits ----

  private edits(edits: unknown[]) {
    return post<{ links: [string, string, string][] }>(`/projects/${this.ticket!.project.id}/edits`, { edits });
  }
  private async change(work: () => Promise<unknown>) {
    this.saving++;
    try {
      await work();
      await this.load();
      app.stale++;
      return true;
    } catch (error) {
      if (error instanceof ApiError && Array.isArray(error.body.path)) {
        const path = error.body.path.map((p: { key: string; subject: string }) => `${p.key} ${p.subject}`).join(" → ");
        toast(`${error.message} ${path}`, "danger");
      } else complain(error);
      return false;
    } finally {
      this.saving--;
    }
  }
  async link(predecessor: string, successor: string, kind: LinkKind = "FS", lag = 0) {
    let id = "";
    const at = Date.now();
    const add = async () => {
      const reply = await this.edits([{ op: "link", predecessor, successor, kind, lag }]);
      id = reply.links.find((l) => l[1] === predecessor && l[2] === successor)?.[0] ?? "";
    };
    const done = await this.change(add);
    if (done && id) {
      remember({
        label: t("add_link"),
        project: this.project,
        at,
        undo: () => this.change(() => this.edits([{ op: "unlink", link: id }])),
        redo: () => this.change(add),
      });
    }
  }
  relink(link: string, kind: LinkKind, lag: number) {
    return this.change(() => this.edits([{ op: "relink", link, kind, lag }]));
  }
  unlink(link: { link: string; id: string; kind: LinkKind; lag: number }, isPredecessor: boolean) {
    const own = this.ticket!.id;
    return this.change(() => this.edits([{ op: "unlink", link: link.link }])).then((done) => {
      if (!done) return;
      toast(t("delete_link"), "info", {
        label: t("undo"),
        run: () => void this.link(isPredecessor ? link.id : own, isPredecessor ? own : link.id, link.kind, link.lag),
      });
    });
  }

  /** To the bin, with all below; the message offers the way back. */
  async remove(): Promise<boolean> {
    const ticket = this.ticket!;
    try {
      await del(`/tickets/${ticket.id}`, ticket.version);
    } catch (error) {
      complain(error);
      return false;
    }
    app.stale++;
    const back = async () => {
      await post(`/projects/${ticket.project.id}/edits`, { edits: [{ op: "restore", id: ticket.id }] }).catch(complain);
      app.stale++;
    };
    toast(t("deleted_ticket", { name: ticket.subject }), "info", { label: t("undo"), run: () => void back() });
    return true;
  }
}

/** Of fields that an earlier page could not save. */
export function resumeFields() {
  const left = kept<Wish>("field:");
  for (const id of new Set(left.map(([name]) => name.split(":")[0]!))) void new TicketEditor(id).resume();
  if (left.length) toast(t("resending", { n: left.length, name: left.map(([, wish]) => nameOf(wish.field)).join(", ") }), "note");
}
