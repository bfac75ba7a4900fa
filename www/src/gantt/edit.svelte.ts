// SPDX-License-Identifier: Apache-2.0
// The plan of one project while somebody works on it: what the server says
// (truth), what the person has done and it does not know yet (queue), and both
// together (plan).  Changes are sent one at a time, in order.  Before one is
// sent it is held against the truth: what others changed meanwhile is asked.
// The queue is kept in the browser, so that it outlives the page.
import { ApiError, get, postOnce } from "../lib/api";
import { ask, type Question, type Stake, whoChanged } from "../lib/ask.svelte";
import { formatDay, hours, isoDay } from "../lib/format";
import { i18n, t, type Key } from "../lib/i18n.svelte";
import { keep, kept } from "../lib/keep";
import { newKey } from "../lib/once";
import { app, classificationOf, nameIn, statusOf, toast } from "../lib/state.svelte";
import { orphans, thisTab } from "../lib/tab";
import { addSender, remember, type Step } from "../lib/undo.svelte";
import {
  type Back, type Change, type Clash, type Edit, EDITS_MAX, aware, awareRow, backAndChanged, below, bodyOf, buildsOn, clashesOf, inverse, isUnmade, knowing, look, renamed, restoring, snapshot, withChanges, without,
} from "./change";
import { Workdays } from "./days";
import { type Delta, type Kind, type Link, Plan, type PlanReply, readRow, type Row } from "./model";

export type { Edit } from "./change";

interface Reply extends Delta {
  created: { ref: string; id: string; no: number }[];
  conflicts: { link: string; ticket: string }[];
  missed?: Omit<Delta, "revision">;
  later?: Omit<Delta, "revision">;
}
interface Done {
  reply: Reply;
  back: Back;
}
export interface Trouble {
  kind: "network" | "full" | "busy" | "session";
  text: string;
}

const POLL_MS = 2500;
const RETRY_MS = { network: 3000, busy: 3000, session: 3000, full: 60_000 };
const TRIES_MAX = 8;
const day = (n: number | null) => (n === null ? null : isoDay(n));

/** The server or the way to it is at fault, not what was typed. */
function troubleOf(error: unknown): Trouble | null {
  if (!(error instanceof ApiError)) return { kind: "network", text: t("offline") };
  if (error.status === 507) return { kind: "full", text: `${error.message} ${t("full_advice")}` };
  if (error.status === 401) return { kind: "session", text: t("not_saved") };
  if (error.status >= 500 || error.status === 429) return { kind: "busy", text: error.message };
  return null;
}
const isDeleting = (c: Change) => c.edits.every((e) => e.op === "delete" || e.op === "unlink");

export class Editor {
  truth!: Plan;
  plan = $state.raw<Plan>(null!);
  stamp = $state(0); // counts changes of the plan
  queue = $state.raw<readonly Change[]>([]);
  trouble = $state.raw<Trouble | null>(null);
  conflicts = $state.raw<Set<string>>(new Set());
  readonly project: string;
  info = $state.raw<PlanReply["project"]>(null!);
  days!: Workdays;
  today = 0;
  /** Told when a change is done: what the ids of new rows are, and what became
   * of a row by it. */
  ondone: ((ids: ReadonlyMap<string, string>, learn: (row: Row) => Row) => void) | null = null;
  private readonly aliases = new Map<string, string>(); // id -> the ref it was shown under
  private readonly ids = new Map<string, string>(); // ref -> id
  private readonly waits = new Map<string, (done: Done | null) => void>();
  private idle: (() => void)[] = [];
  private isSending = false;
  private isPosting = false;
  private round = 0; // of what is posted, so that a poll knows that it is late
  private tab = "";
  private timer = 0;
  private isClosed = false;
  private retryTimer = 0;
  private readonly forget: () => void;
  private loading: Promise<void> | null = null;

  constructor(project: string) {
    this.project = project;
    this.forget = addSender(this);
  }

  /** Once; what an earlier page could not send goes out now. */
  load(): Promise<void> {
    this.loading ??= this.begin().catch((error) => {
      this.loading = null;
      throw error;
    });
    return this.loading;
  }
  /** The same, tried again as long as that may help; told what is wrong
   * meanwhile.  Rejects when it is refused or the editor is closed. */
  async loadAtLast(tell: (trouble: Trouble) => void = () => undefined): Promise<void> {
    for (;;) {
      try {
        if (app.step === "ready") return await this.load();
      } catch (error) {
        const trouble = troubleOf(error);
        if (!trouble) throw error;
        tell(trouble);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS.network));
      if (this.isClosed) throw new Error("closed");
    }
  }
  private async begin() {
    this.tab = await thisTab();
    await this.reload();
    const left = await orphans(kept<Change>(`plan:${this.project}:`).map(([, c]) => c));
    const own = new Set(this.queue.map((c) => c.key));
    const adopted = left.filter((c) => !own.has(c.key)).sort((a, b) => a.at - b.at);
    if (!adopted.length) return;
    this.queue = [...adopted.map((c) => ({ ...c, tab: this.tab })), ...this.queue];
    for (const c of this.queue) this.keep(c);
    this.show();
    toast(t("resending", { n: adopted.length, name: this.info.name }), "note");
    void this.drain();
  }
  private async reload() {
    const reply = await get<PlanReply>(`/projects/${this.project}/plan`);
    this.info = reply.project;
    this.days = new Workdays(reply.calendar);
    this.today = Math.round(Date.parse(`${reply.today}T00:00:00Z`) / 86_400_000);
    this.truth = new Plan(reply);
    this.show();
  }
  close() {
    this.isClosed = true;
    clearInterval(this.timer);
    clearTimeout(this.retryTimer);
    this.queue = [];
    this.forget();
    editors.delete(this.project);
  }
  /** While its page is looked at. */
  watch(): () => void {
    void this.look();
    this.timer = window.setInterval(() => void this.look(), POLL_MS);
    return () => clearInterval(this.timer);
  }
  get canEdit() {
    return this.info.rights.includes("ticket_edit");
  }
  get unsent() {
    return this.queue.length;
  }
  /** The same for a row before and after it has its id. */
  keyOf(id: string) {
    return this.aliases.get(id) ?? id;
  }
  isLocal(id: string) {
    return this.plan.rows.get(id)?.no === 0;
  }
  private show() {
    this.plan = withChanges(this.truth, this.queue);
    this.stamp++;
  }
  private keep(c: Change) {
    keep(`plan:${this.project}:${c.key}`, c);
  }
  private set_(key: string, change: Change | null) {
    this.queue = change ? this.queue.map((c) => (c.key === key ? change : c)) : this.queue.filter((c) => c.key !== key);
    if (!change || change.key !== key) keep(`plan:${this.project}:${key}`, null);
    if (!change) return;
    this.keep(change);
    const wait = this.waits.get(key);
    if (wait && change.key !== key) {
      this.waits.delete(key);
      this.waits.set(change.key, wait);
    }
  }

  /** What the others have done meanwhile. */
  async look() {
    if (document.hidden || this.isPosting || !this.truth) return;
    try {
      await this.catchUp();
    } catch {
      return; // the next round tries again
    }
    if (this.trouble?.kind === "network") void this.retry();
  }
  private async catchUp() {
    const [round, from] = [this.round, this.truth.revision];
    const delta = await get<Delta>(`/projects/${this.project}/plan?since=${from}`);
    if (round !== this.round || this.truth.revision !== from || delta.revision === from) return;
    if (delta.revision < from) return this.reload(); // restored from a backup
    this.truth.apply(delta);
    this.show();
  }

  // ---- sending ----

  /** Shown at once, sent in order of asking; resolves with what it did, or null
   * when it was refused or given up.  started: rows as they were when the person
   * began. */
  async apply(label: string, edits: Edit[], started: Row[] = [], back?: Back): Promise<Done | null> {
    if (edits.length > EDITS_MAX) return this.applyParts(label, edits, back);
    const at = Math.max(Date.now(), (this.queue.at(-1)?.at ?? 0) + 1);
    const change: Change = renamed({ key: newKey(), label, edits, seen: back?.seen ?? look(this.plan, edits, started), isBack: !!back, at, tab: this.tab }, this.ids);
    const isFirst = this.trouble?.kind === "full" && isDeleting(change);
    this.queue = isFirst ? [change, ...this.queue] : [...this.queue, change];
    this.keep(change);
    this.show();
    const done = new Promise<Done | null>((resolve) => this.waits.set(change.key, resolve));
    if (isFirst || !this.trouble) void this.drain();
    return done;
  }
  private async applyParts(label: string, edits: Edit[], way?: Back) {
    let whole = null as Done | null;
    for (let i = 0; i < edits.length; i += EDITS_MAX) {
      const done = await this.apply(label, edits.slice(i, i + EDITS_MAX), [], way);
      if (!done) return whole;
      const { back } = done;
      whole = whole ? { ...done, back: { edits: [...back.edits, ...whole.back.edits], seen: { ...whole.back.seen, ...back.seen } } } : done;
    }
    return whole;
  }

  private async drain() {
    if (this.isSending) return;
    this.isSending = true;
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    try {
      while (this.queue.length && (await this.sendFirst()));
    } finally {
      this.isSending = false;
      for (const done of this.idle.splice(0)) done();
    }
  }
  settled(): Promise<void> {
    return this.isSending ? new Promise((resolve) => this.idle.push(resolve)) : Promise.resolve();
  }
  /** A change that cannot be sent for now and never was. */
  withdraw(until: number): string | null {
    const last = this.queue.findLast((c) => c.at <= until);
    if (!last || last.body) return null;
    if (this.queue.some((c) => c.at > last.at && buildsOn(c, last))) return "";
    this.finish(last, null);
    return last.label;
  }

  private finish(change: Change, done: Done | null) {
    this.set_(change.key, null);
    this.show();
    this.waits.get(change.key)?.(done);
    this.waits.delete(change.key);
  }

  /** Whether the next one may follow. */
  private async sendFirst(): Promise<boolean> {
    for (let tries = 0; ; tries++) {
      const change = this.queue[0]!;
      try {
        const ready = change.body ? change : await this.prepare(change);
        if (!ready?.body?.length) {
          this.finish(ready ?? change, null);
          return true;
        }
        this.isPosting = true;
        this.round++;
        const reply = await postOnce<Reply>(`/projects/${this.project}/edits?since=${this.truth.revision}`, { edits: ready.body }, ready.key);
        this.take(ready, reply);
        return true;
      } catch (error) {
        this.trouble = troubleOf(error);
        if (this.trouble) {
          this.retryTimer = window.setTimeout(() => void this.retry(), RETRY_MS[this.trouble.kind]);
          return false;
        }
        if (!this.isLate(error) || tries >= TRIES_MAX) {
          this.explain(error);
          this.finish(this.queue[0]!, null);
          return true;
        }
      } finally {
        this.isPosting = false;
      }
      // somebody was first: hold it against the plan as it is now
      const { body: _, ...again } = this.queue[0]!;
      this.set_(again.key, { ...again, key: newKey() });
      await this.catchUp().catch(() => undefined);
    }
  }
  private isLate(error: unknown) {
    return error instanceof ApiError && (error.status === 412 || error.rule === "deleted" || error.rule === "not_found");
  }

  /** Asks what has to be asked; null: given up.  Rows come back by a change of
   * their own, which is then the first one. */
  private async prepare(change: Change): Promise<Change | null> {
    for (;;) {
      const own = backAndChanged(change);
      if (own.length) return this.prepare(this.restoreFirst(change, own));
      const all = clashesOf(this.truth, change);
      if (!all.length) break;
      const gone = all.filter((x) => x.field === "gone");
      const unmade = gone.filter((x) => isUnmade(x.id));
      const clashes = unmade.length ? unmade : gone.length ? gone : all;
      const answer = await this.askAbout(change, clashes);
      if (answer === "cancel") return null;
      if (answer === "restore") return this.prepare(this.restoreFirst(change, [...new Set(gone.map((x) => x.id))]));
      // what changes while the question stands is asked about anew
      change = this.afresh(change, answer === "mine" ? knowing(change, clashes) : without(change, clashes));
      this.show();
    }
    const body = bodyOf(this.truth, change);
    return this.afresh(change, { ...change, body });
  }
  private restoreFirst(change: Change, ids: string[]): Change {
    const [back, rest] = restoring(change, ids, newKey());
    this.set_(change.key, rest);
    this.queue = this.queue.flatMap((c) => (c === rest ? [back, c] : [c]));
    this.keep(back);
    if (!change.isBack) this.waits.set(back.key, (done) => done && remember(this.step(t("restore_ticket"), done.back, change.at)));
    return back;
  }
  private afresh(old: Change, now: Change) {
    this.set_(old.key, now);
    return now;
  }

  private take(change: Change, reply: Reply) {
    this.trouble = null;
    const revision = this.truth.revision;
    if (reply.missed) this.truth.apply({ ...reply.missed, revision });
    const before = snapshot(this.truth);
    this.truth.apply(reply);
    const back = inverse(this.truth, before, reply);
    const names = new Map(reply.created.flatMap((c) => (c.ref ? [[c.ref, c.id] as const] : [])));
    for (const [ref, id] of names) {
      this.ids.set(ref, id);
      this.aliases.set(id, ref);
    }
    // what comes back may have been changed by others before it went
    const isBack = new Set(change.edits.flatMap((e) => (e.op === "restore" ? [e.id!] : [])));
    const known = isBack.size ? reply.rows.filter((cells) => before.rows.has(readRow(this.truth.columns, cells).id)) : reply.rows;
    for (const c of this.queue) if (c.key !== change.key) this.set_(c.key, aware(renamed(c, names), before.rows, this.truth, known));
    if (reply.later) this.truth.apply({ ...reply.later, revision: reply.revision });
    this.conflicts = new Set(reply.conflicts.flatMap((c) => [c.link, c.ticket]));
    this.set_(change.key, null);
    this.show();
    this.ondone?.(names, (row) => {
      const now = this.truth.rows.get(names.get(row.id) ?? row.id);
      return now && reply.rows.some((cells) => readRow(this.truth.columns, cells).id === now.id) ? awareRow(row, before.rows, now) : row;
    });
    this.waits.get(change.key)?.({ reply, back });
    this.waits.delete(change.key);
  }

  /** In the order they were made. */
  async retry() {
    if (app.step === "ready") this.trouble = null;
    if (!this.trouble) return this.drain();
    clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(() => void this.retry(), RETRY_MS.session);
  }
  /** The person gives up: back to what the server knows. */
  discard() {
    clearTimeout(this.retryTimer);
    this.trouble = null;
    for (const c of this.queue.toReversed()) this.finish(c, null);
    void this.look();
  }

  // ---- asking ----

  private words(field: string, value: unknown): string {
    if (value === null || value === undefined || value === "") return "";
    switch (field) {
      case "assignee": return this.plan.people.get(String(value)) ?? "";
      case "parent": return this.plan.rows.get(String(value))?.subject ?? "";
      case "status": return nameIn(statusOf(String(value)));
      case "classification": return nameIn(classificationOf(String(value)));
      case "priority": return t(value as Key);
      case "progress": return `${value}%`;
      case "estimate":
      case "actual": return hours(Number(value));
      case "manual": return t(value ? "on" : "off");
      default: return /^\d{4}-\d\d-\d\d$/.test(String(value)) ? formatDay(String(value), i18n.lang) : String(value);
    }
  }
  private async stakesOf(clashes: Clash[]): Promise<Stake[]> {
    const known = new Map<string, ReturnType<typeof whoChanged>>();
    return Promise.all(
      clashes.slice(0, 30).map(async (x, n) => {
        const field = x.field === "added" ? "created" : x.field === "gone" ? "deleted" : x.field;
        const of = `${x.id} ${field}`;
        if (n < 10 && !known.has(of)) known.set(of, x.field === "gone" ? whoDeleted(x.id) : whoChanged(x.id, field));
        const who = (await known.get(of)) ?? { by: "", at: null };
        const isRow = x.field === "added" || x.field === "gone";
        return { name: x.name, field: isRow ? t(x.field === "added" ? "row_added" : "row_deleted") : t(x.field as Key), mine: x.mine === undefined ? t("delete") : this.words(x.field, x.mine), theirs: isRow ? "" : this.words(x.field, x.theirs), ...who };
      }),
    );
  }
  private async askAbout(change: Change, clashes: Clash[]): Promise<string> {
    const isGone = clashes[0]!.field === "gone";
    const deleting = clashes.some((x) => change.edits[x.edit]!.op === "delete");
    const stakes = await this.stakesOf(clashes);
    if (isGone) {
      const unmade = clashes.every((x) => isUnmade(x.id));
      const edits = change.edits.filter((e) => clashes.some((x) => x.id === e.id));
      const typed = edits.flatMap((e) => Object.keys(e).filter((k) => !["op", "id", "version", "after", "parent"].includes(k)).map((k) => this.words(k, e[k]))).join("\n");
      return ask({
        title: t(unmade ? "unmade_title" : "gone_title"),
        text: unmade ? t("unmade_text", { name: clashes[0]!.name }) : t("gone_text", { by: stakes[0]!.by || t("somebody"), name: clashes[0]!.name }),
        stakes: [],
        typed,
        choices: [{ id: "theirs", label: t("gone_drop") }, ...(unmade ? [] : [{ id: "restore", label: t("gone_restore"), kind: "primary" as const }])],
        otherwise: "theirs",
      });
    }
    const question: Question = {
      title: t(change.isBack ? "undo_conflict_title" : "conflict_title"),
      text: change.isBack ? t("undo_conflict_text", { what: change.label }) : deleting ? t("delete_conflict_text") : t("conflict_text"),
      stakes,
      choices: [
        { id: "mine", label: t(change.isBack ? "undo_anyway" : deleting ? "delete_anyway" : "conflict_mine"), kind: "danger" },
        { id: "theirs", label: t(deleting ? "delete_not" : change.isBack ? "undo_rest" : "conflict_theirs"), kind: "primary" },
      ],
      otherwise: change.isBack ? "cancel" : "theirs",
    };
    return ask(question);
  }

  private explain(error: unknown) {
    if (error instanceof ApiError && error.body.path) {
      const path = error.body.path.map((p: { key: string; subject: string }) => `${p.key} ${p.subject}`).join(" → ");
      toast(`${error.message} ${path}`, "danger");
      return;
    }
    toast(error instanceof ApiError ? error.message : t("offline"), "danger");
  }

  // ---- by hand, with the way back ----

  /** Back and forth are the same: what leads to the other side. */
  private step(label: string, back: Back, at: number): Step {
    let way = back;
    const go = async () => {
      const done = await this.applyBack(label, way);
      if (done) way = done.back;
      return done !== null;
    };
    return { label, project: this.project, at, undo: go, redo: go };
  }
  private applyBack(label: string, back: Back) {
    return this.apply(label, back.edits.map((e) => ({ ...e })), [], back);
  }
  async do(label: string, edits: Edit[], started: Row[] = []): Promise<Done | null> {
    const at = Date.now();
    const done = await this.apply(label, edits, started);
    if (done?.back.edits.length) remember(this.step(label, done.back, at));
    return done;
  }
  /** What another way than edits has changed, between two readings of the plan:
   * a plan from a file.  One step. */
  async during<T>(label: string, work: () => Promise<T>): Promise<T> {
    const at = Date.now();
    await this.load();
    await this.settled();
    await this.catchUp();
    const before = snapshot(this.truth);
    const from = this.truth.revision;
    const result = await work();
    const delta = await get<Delta>(`/projects/${this.project}/plan?since=${from}`);
    this.truth.apply(delta);
    this.show();
    const back = inverse(this.truth, before, delta);
    if (back.edits.length) remember(this.step(label, back, at));
    return result;
  }

  // ---- intentions ----

  /** row: as it was when the person began to type. */
  set(row: Row, fields: Record<string, unknown>) {
    return this.do(t("edit_row", { name: row.subject }), [{ op: "update", id: row.id, ...fields }], [row]);
  }
  setDays(row: Row, start: number | null, end: number | null) {
    return this.do(t("edit_dates", { name: row.subject }), [{ op: "update", id: row.id, planned_start: day(start), planned_end: day(end) }], [row]);
  }
  /** The name of the new row, which is there at once. */
  add(place: "below" | "above" | "child", at: Row | null, classification = "task"): string {
    const create: Edit = { op: "create", ref: `new-${newKey()}`, subject: t("new_row"), classification };
    if (at && place === "child") create.parent = at.id;
    if (at && place !== "child") {
      create.parent = at.parent;
      create.after = place === "below" ? at.id : (this.plan.before(at)?.id ?? null);
    }
    void this.do(t("add_row"), [create]);
    return create.ref!;
  }
  /** What hangs below goes along: that is asked first. */
  async remove(rows: Row[]) {
    const ids = new Set(rows.map((r) => r.id));
    const top = rows.filter((r) => !(r.parent && [...ids].some((id) => id !== r.id && this.plan.isBelow(r.id, id))));
    const along = new Set(top.flatMap((r) => below(this.plan, r.id))).size;
    if (along) {
      const text = t("delete_along_ask", { name: top[0]!.subject, n: top.length, along });
      const choices = [{ id: "no", label: t("cancel") }, { id: "yes", label: t("delete"), kind: "danger" as const }];
      if ((await ask({ title: t("delete_ticket_title"), text, stakes: [], choices, otherwise: "no" })) !== "yes") return;
    }
    const done = await this.do(t("delete_rows", { n: top.length + along }), top.map((r) => ({ op: "delete", id: r.id })), rows);
    const n = done?.reply.gone?.tickets.length;
    if (n) toast(along ? t("deleted_along", { n, along: n - top.length }) : t("deleted_rows", { n }), "info", { label: t("undo"), run: () => this.onundo() });
  }
  onundo: () => void = () => undefined;
  indent(rows: Row[]) {
    const edits: Edit[] = [];
    for (const row of rows) {
      const above = this.plan.before(row);
      if (above && !rows.includes(above)) {
        const last = this.plan.childrenOf(above.id).at(-1);
        edits.push({ op: "update", id: row.id, parent: above.id, after: last?.id ?? null });
      }
    }
    return edits.length ? this.do(t("indent"), edits, rows) : Promise.resolve(null);
  }
  outdent(rows: Row[]) {
    const edits: Edit[] = [];
    for (const row of [...rows].reverse()) {
      const parent = row.parent ? this.plan.rows.get(row.parent) : null;
      if (parent) edits.push({ op: "update", id: row.id, parent: parent.parent, after: parent.id });
    }
    return edits.length ? this.do(t("outdent"), edits, rows) : Promise.resolve(null);
  }
  shift(row: Row, by: -1 | 1) {
    const other = by < 0 ? this.plan.before(row) : this.plan.after(row);
    if (!other) return Promise.resolve(null);
    const after = by > 0 ? other.id : (this.plan.before(other)?.id ?? null);
    return this.move(row, row.parent, after);
  }
  move(row: Row, parent: string | null, after: string | null) {
    const edit: Edit = { op: "update", id: row.id, after };
    if (parent !== row.parent) edit.parent = parent;
    return this.do(t("move_row", { name: row.subject }), [edit], [row]);
  }
  link(from: string, to: string, kind: Kind, lag = 0) {
    return this.do(t("add_link"), [{ op: "link", predecessor: from, successor: to, kind, lag }]);
  }
  relink(link: Link, kind: Kind, lag: number) {
    return this.do(t("edit_link"), [{ op: "relink", link: link.id, kind, lag }]);
  }
  unlink(link: Link) {
    return this.do(t("delete_link"), [{ op: "unlink", link: link.id }]);
  }
}

async function whoDeleted(ticket: string) {
  if (isUnmade(ticket)) return { by: "", at: null };
  try {
    await get(`/tickets/${ticket}`);
  } catch (error) {
    if (error instanceof ApiError && error.rule === "deleted") return { by: error.body.deleted_by.name ?? "", at: error.body.deleted_at };
  }
  return { by: "", at: null };
}

// ---- one for each project, as long as the person is signed in ----

const editors = new Map<string, Editor>();
export function editorOf(project: string): Editor {
  let editor = editors.get(project);
  if (!editor) editors.set(project, (editor = new Editor(project)));
  return editor;
}
/** Of projects whose plan has changes that no page has sent. */
export function resumePlans() {
  for (const project of new Set(kept<Change>("plan:").map(([name]) => name.split(":")[0]!))) void editorOf(project).loadAtLast().catch(() => undefined);
}
