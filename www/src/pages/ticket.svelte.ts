// SPDX-License-Identifier: Apache-2.0
// One ticket while it is looked at: every field is saved at once, one request
// after the other, so that our own saves never look stale to each other.  What
// somebody else changed meanwhile is merged field by field; only the same
// field asks.
import { ApiError, del, get, patch, post } from "../lib/api";
import { t, word, type Key } from "../lib/i18n.svelte";
import type { LinkKind, Ticket } from "../lib/model";
import { app, complain, toast } from "../lib/state.svelte";
import { inTurn } from "../lib/turn";
import { remember } from "../lib/undo.svelte";

export type Field =
  | "subject" | "details" | "classification" | "status" | "priority" | "parent" | "assignees" | "planned_start"
  | "planned_end" | "actual_start" | "actual_end" | "due" | "progress" | "estimate" | "actual" | "manual"
  | "labels" | "team" | `custom:${string}`;
export type Value = string | number | boolean | string[] | null;

export interface Conflict {
  field: Field;
  mine: Value;
  theirs: Value;
  by: string;
}

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

function announce(ticket: Ticket) {
  app.saved = ticket;
}

/** Writes one field whatever the version is now: for undo and redo. */
async function write(id: string, field: Field, value: Value) {
  const now = await get<Ticket>(`/tickets/${id}`);
  announce(await patch<Ticket>(`/tickets/${id}`, bodyOf(field, value), now.version));
}

/** Saves a field of a list's row; returns the whole ticket. */
export async function saveField(item: { id: string; key: string; version: number }, field: Field, value: Value, before: Value) {
  const reply = await patch<Ticket>(`/tickets/${item.id}`, bodyOf(field, value), item.version);
  rememberField(item, field, before, value);
  announce(reply);
  return reply;
}

function rememberField(item: { id: string; key: string }, field: Field, before: Value, after: Value) {
  remember({
    label: t("ticket_step", { key: item.key, field: nameOf(field) }),
    undo: () => write(item.id, field, before),
    redo: () => write(item.id, field, after),
  });
}

const RETRY_MS = 3000;

export class TicketEditor {
  ticket = $state.raw<Ticket | null>(null);
  error = $state<unknown>(null);
  errors = $state<Record<string, string>>({});
  saving = $state(0);
  failed = $state<{ field: Field; value: Value } | null>(null);
  conflict = $state<Conflict | null>(null);
  /** Counts saves: the history below reads itself anew. */
  stamp = $state(0);
  /** Counts files put into a text: the list of files reads itself anew. */
  files = $state(0);
  private readonly key: string;
  private readonly turn = inTurn();

  constructor(key: string) {
    this.key = key;
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
    } catch (error) {
      this.error = error;
    }
  }
  /** What others did meanwhile; never in the middle of our own. */
  async look() {
    if (this.saving || this.failed || this.conflict || !this.ticket) return;
    const now = await get<Ticket>(`/tickets/${this.ticket.id}`);
    if (!this.saving && now.version > this.ticket.version) this.take(now);
  }
  take(ticket: Ticket) {
    this.ticket = ticket;
    this.stamp++;
  }

  save(field: Field, value: Value) {
    const before = this.ticket && valueOf(this.ticket, field);
    if (!this.ticket || same(before, value)) return Promise.resolve();
    this.saving++;
    return this.turn(() => this.send(field, value, before)).finally(() => this.saving--);
  }

  private async send(field: Field, value: Value, before: Value) {
    const ticket = this.ticket!;
    const { [field]: _, ...others } = this.errors;
    this.errors = others;
    this.failed = null;
    try {
      const reply = await patch<Ticket>(`/tickets/${ticket.id}`, bodyOf(field, value), ticket.version);
      rememberField(ticket, field, before, value);
      this.take(reply);
      announce(reply);
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await this.merge(field, value, before, error);
      else this.explain(error, field, value);
    }
  }

  /** Somebody was first: another field of theirs is no conflict. */
  private async merge(field: Field, value: Value, before: Value, error: ApiError) {
    const now = await get<Ticket>(`/tickets/${this.ticket!.id}`);
    this.take(now);
    const theirs = valueOf(now, field);
    if (same(theirs, value)) return;
    if (same(theirs, before)) return this.send(field, value, before);
    this.conflict = { field, mine: value, theirs, by: error.body.changed_by?.name ?? t("somebody") };
  }

  private explain(error: unknown, field: Field, value: Value) {
    // no line, too busy, locked: the value waits, the mark in the head says so
    if (!(error instanceof ApiError) || [401, 503].includes(error.status)) {
      this.failed = { field, value };
      this.later();
      return;
    }
    const found = error.errors.filter((e) => e.field);
    this.errors = { ...this.errors, ...Object.fromEntries(found.map((e) => [errorKey(e.field), e.message])) };
    if (!found.some((e) => errorKey(e.field) === field)) complain(error);
    this.ticket = this.ticket && { ...this.ticket }; // inputs show the stored value again
  }

  private later() {
    setTimeout(() => (app.step === "ready" ? this.retry() : this.failed && this.later()), RETRY_MS);
  }
  retry() {
    if (this.failed) void this.save(this.failed.field, this.failed.value);
  }
  settle(mine: boolean) {
    const c = this.conflict;
    this.conflict = null;
    if (c && mine) void this.save(c.field, c.mine);
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
    const add = async () => {
      const reply = await this.edits([{ op: "link", predecessor, successor, kind, lag }]);
      id = reply.links.find((l) => l[1] === predecessor && l[2] === successor)?.[0] ?? "";
    };
    const done = await this.change(add);
    if (done && id) {
      remember({
        label: t("add_link"),
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

/** What was typed and not yet saved outlives the panel. */
export const drafts = new Map<string, string>();
