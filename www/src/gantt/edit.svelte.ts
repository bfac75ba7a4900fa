// SPDX-License-Identifier: Apache-2.0
// What a person does becomes edits; the server answers with everything that
// changed; from before and after comes the way back.
import { ApiError, get, post } from "../lib/api";
import { isoDay } from "../lib/format";
import { t } from "../lib/i18n.svelte";
import { toast } from "../lib/state.svelte";
import { inTurn } from "../lib/turn";
import { Workdays } from "./days";
import { type Delta, type Kind, type Link, Plan, type PlanReply, type Row, readRow } from "./model";

export interface Edit {
  op: "create" | "update" | "delete" | "restore" | "link" | "relink" | "unlink";
  id?: string;
  ref?: string;
  version?: number;
  [field: string]: unknown;
}
interface Reply extends Delta {
  created: { ref: string; id: string; no: number }[];
  conflicts: { link: string; ticket: string }[];
}
export interface Conflict {
  edits: Edit[];
  label: string;
  mine: Edit;
  theirs: Row;
  by: string;
}

const day = (n: number | null) => (n === null ? null : isoDay(n));

/** The fields of a row as an edit writes them. */
export function fieldsOf(row: Row): Record<string, unknown> {
  return {
    subject: row.subject,
    classification: row.classification,
    status: row.status,
    priority: row.priority,
    assignee: row.assignee,
    planned_start: day(row.start),
    planned_end: day(row.end),
    actual_start: day(row.actualStart),
    actual_end: day(row.actualEnd),
    due: day(row.due),
    progress: row.progress,
    estimate: row.estimate,
    actual: row.actual,
    manual: row.manual,
  };
}
const derived = new Set(["planned_start", "planned_end", "actual_start", "actual_end", "progress"]);

interface Before {
  rows: Map<string, Row>;
  links: Map<string, Link>;
  previous: Map<string, string | null>; // sibling before, by row
}

/** Edits that lead from the plan as it is now back to what it was. */
export function inverse(plan: Plan, before: Before, delta: Delta): Edit[] {
  const edits: Edit[] = [];
  for (const [id] of delta.links) {
    const link = before.links.get(id);
    const now = plan.links.get(id);
    if (!link) edits.push({ op: "unlink", link: id });
    else if (now && (now.kind !== link.kind || now.lag !== link.lag))
      edits.push({ op: "relink", link: id, kind: link.kind, lag: link.lag });
  }
  const gone = new Set(delta.gone?.tickets ?? []);
  for (const id of gone) {
    const row = before.rows.get(id);
    if (row && !(row.parent && gone.has(row.parent))) edits.push({ op: "restore", id });
  }
  for (const cells of delta.rows) {
    const now = readRow(plan.columns, cells);
    const old = before.rows.get(now.id);
    if (!old) {
      if (!(now.parent && !before.rows.has(now.parent))) edits.push({ op: "delete", id: now.id });
      continue;
    }
    const a = fieldsOf(old);
    const b = fieldsOf(now);
    const changed = Object.keys(a).filter((k) => a[k] !== b[k] && !(plan.isParent(now.id) && derived.has(k)));
    const edit: Edit = { op: "update", id: now.id };
    for (const k of changed) edit[k] = a[k];
    if (old.parent !== now.parent || old.rank !== now.rank) {
      edit.parent = old.parent;
      edit.after = before.previous.get(now.id) ?? null;
    }
    if (Object.keys(edit).length > 2) edits.push(edit);
  }
  for (const id of delta.gone?.links ?? []) {
    const link = before.links.get(id);
    if (link && !gone.has(link.from) && !gone.has(link.to))
      edits.push({ op: "link", predecessor: link.from, successor: link.to, kind: link.kind, lag: link.lag });
  }
  return edits;
}

interface Step {
  label: string;
  edits: Edit[];
}
/** What could not be sent: kept, shown as typed, sent again. */
interface Unsent extends Step {
  before: Before;
  into: "undo" | "redo" | "none";
}
const RETRY_MS = 3000;
/** The server or the way to it is at fault, not what was typed. */
const mayRetry = (error: unknown) => !(error instanceof ApiError) || error.status >= 500 || error.status === 429 || error.status === 401;

export class Editor {
  plan = $state.raw<Plan>(null!);
  stamp = $state(0); // counts changes of the plan
  saving = $state(0);
  unsent = $state.raw<Unsent[]>([]);
  conflict = $state<Conflict | null>(null);
  conflicts = $state.raw<Set<string>>(new Set());
  undoList = $state<Step[]>([]);
  redoList = $state<Step[]>([]);
  readonly project: string;
  info!: PlanReply["project"];
  days!: Workdays;
  today = 0;
  private readonly turn = inTurn();
  private timer = 0;
  private retryTimer = 0;

  constructor(project: string) {
    this.project = project;
  }

  async load() {
    const reply = await get<PlanReply>(`/projects/${this.project}/plan`);
    this.info = reply.project;
    this.days = new Workdays(reply.calendar);
    this.today = Math.round(Date.parse(`${reply.today}T00:00:00Z`) / 86_400_000);
    this.plan = new Plan(reply);
    this.stamp++;
    this.timer = window.setInterval(() => void this.poll(), 4000);
  }
  stop() {
    clearInterval(this.timer);
    clearTimeout(this.retryTimer);
  }
  get canEdit() {
    return this.info.rights.includes("ticket_edit");
  }

  /** What the others have done meanwhile. */
  async poll() {
    if (document.hidden || this.saving || this.unsent.length || !this.plan) return;
    try {
      const delta = await get<Delta>(`/projects/${this.project}/plan?since=${this.plan.revision}`);
      if (this.saving || delta.revision === this.plan.revision) return;
      this.plan.apply(delta);
      this.stamp++;
    } catch {
      // the next round tries again
    }
  }

  private snapshot(): Before {
    const previous = new Map<string, string | null>();
    const walk = (parent: string | null) => {
      let last: string | null = null;
      for (const row of this.plan.childrenOf(parent)) {
        previous.set(row.id, last);
        last = row.id;
        walk(row.id);
      }
    };
    walk(null);
    return { rows: new Map(this.plan.rows), links: new Map(this.plan.links), previous };
  }

  /** Sends edits in order of asking; resolves with the reply or null. */
  apply(label: string, edits: Edit[], into: "undo" | "redo" | "none" = "undo"): Promise<Reply | null> {
    const before = this.snapshot();
    for (const e of edits) if (e.op === "update" && e.id) this.preview(e);
    this.stamp++;
    this.saving++;
    return this.turn(() => this.send(label, edits, before, into));
  }

  private preview(e: Edit) {
    const values: Partial<Row> = {};
    const dayOf = (v: unknown) => (v === null ? null : Math.round(Date.parse(`${v}T00:00:00Z`) / 86_400_000));
    if ("planned_start" in e) values.start = dayOf(e.planned_start);
    if ("planned_end" in e) values.end = dayOf(e.planned_end);
    if ("subject" in e) values.subject = e.subject as string;
    if ("progress" in e) values.progress = e.progress as number;
    if ("assignee" in e) values.assignee = e.assignee as string | null;
    if (Object.keys(values).length) this.plan.patch(e.id!, values);
  }

  private async send(label: string, edits: Edit[], before: Before, into: "undo" | "redo" | "none") {
    const withVersions = edits.map((e) =>
      e.op === "update" || e.op === "delete" ? { ...e, version: e.version ?? this.plan.rows.get(e.id!)?.version ?? 0 } : e,
    );
    try {
      const reply = await post<Reply>(`/projects/${this.project}/edits`, { edits: withVersions });
      this.plan.apply(reply);
      const back = inverse(this.plan, before, reply);
      if (back.length && into !== "none") (into === "undo" ? this.undoList : this.redoList).push({ label, edits: back });
      this.conflicts = new Set(reply.conflicts?.flatMap((c) => [c.link, c.ticket]) ?? []);
      return reply;
    } catch (error) {
      if (mayRetry(error)) {
        this.unsent = [...this.unsent, { label, edits, before, into }];
        if (!(error instanceof ApiError) || error.status !== 401) toast(error instanceof ApiError ? error.message : t("offline"), "danger");
        this.retryTimer ||= window.setTimeout(() => void this.retry(), RETRY_MS);
        return null;
      }
      this.revert(before);
      this.explain(error, label, edits);
      return null;
    } finally {
      this.saving--;
      this.stamp++;
    }
  }

  /** In the order they were typed; those after one that fails again wait with it. */
  async retry() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    const waiting = this.unsent;
    this.unsent = [];
    for (const one of waiting) {
      this.saving++;
      if (this.unsent.length) {
        this.unsent = [...this.unsent, one];
        this.saving--;
      } else await this.send(one.label, one.edits, one.before, one.into);
    }
  }
  /** The person gives up: back to what the server knows. */
  async discard() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    for (const one of this.unsent.toReversed()) this.revert(one.before);
    this.unsent = [];
    this.stamp++;
    await this.poll();
  }

  private revert(before: Before) {
    for (const [id, row] of before.rows) if (this.plan.rows.has(id)) this.plan.patch(id, row);
  }

  private explain(error: unknown, label: string, edits: Edit[]) {
    if (error instanceof ApiError && error.status === 412 && error.body.current) {
      const theirs = readRow(error.body.current.columns ?? this.plan.columns, error.body.current.row);
      const mine = edits.find((e) => e.id === theirs.id) ?? edits[0]!;
      this.conflict = { edits, label, mine, theirs, by: error.body.changed_by?.name ?? "" };
      return;
    }
    if (error instanceof ApiError && error.body.path) {
      const path = error.body.path.map((p: { key: string; subject: string }) => `${p.key} ${p.subject}`).join(" → ");
      toast(`${error.message} ${path}`, "danger");
      return;
    }
    toast(error instanceof ApiError ? error.message : t("offline"), "danger");
  }

  /** After a conflict: send mine once more on top of theirs, or drop mine. */
  async settle(keepMine: boolean) {
    const c = this.conflict!;
    this.conflict = null;
    await this.poll();
    const delta = await get<Delta>(`/projects/${this.project}/plan?since=${this.plan.revision}`);
    this.plan.apply(delta);
    this.stamp++;
    if (keepMine) await this.apply(c.label, c.edits.map(({ version, ...e }) => (void version, e)));
  }

  /** A new change by hand ends what could be redone. */
  do(label: string, edits: Edit[]) {
    this.redoList = [];
    return this.apply(label, edits);
  }
  /** What is still on its way is waited for: it is what shall be undone. */
  async undo() {
    const step = await this.turn(async () => this.undoList.pop());
    if (step && (await this.apply(step.label, step.edits, "redo"))) toast(t("undone", { what: step.label }));
  }
  async redo() {
    const step = await this.turn(async () => this.redoList.pop());
    if (step && (await this.apply(step.label, step.edits, "undo"))) toast(t("redone", { what: step.label }));
  }

  // ---- intentions ----

  rename(row: Row, subject: string) {
    return this.do(t("edit_subject"), [{ op: "update", id: row.id, subject }]);
  }
  set(row: Row, fields: Record<string, unknown>) {
    return this.do(t("edit_row", { name: row.subject }), [{ op: "update", id: row.id, ...fields }]);
  }
  setDays(row: Row, start: number | null, end: number | null) {
    return this.do(t("edit_dates", { name: row.subject }), [
      { op: "update", id: row.id, planned_start: day(start), planned_end: day(end) },
    ]);
  }
  add(place: "below" | "above" | "child", at: Row | null, classification = "task") {
    const create: Edit = { op: "create", ref: "new", subject: t("new_row"), classification };
    if (at && place === "child") create.parent = at.id;
    if (at && place !== "child") {
      create.parent = at.parent;
      create.after = place === "below" ? at.id : (this.plan.before(at)?.id ?? null);
    }
    return this.do(t("add_row"), [create]);
  }
  remove(rows: Row[]) {
    const ids = new Set(rows.map((r) => r.id));
    const top = rows.filter((r) => !(r.parent && [...ids].some((id) => id !== r.id && this.plan.isBelow(r.id, id))));
    return this.do(t("delete_rows", { n: top.length }), top.map((r) => ({ op: "delete", id: r.id })));
  }
  indent(rows: Row[]) {
    const edits: Edit[] = [];
    for (const row of rows) {
      const above = this.plan.before(row);
      if (above && !rows.includes(above)) {
        const last = this.plan.childrenOf(above.id).at(-1);
        edits.push({ op: "update", id: row.id, parent: above.id, after: last?.id ?? null });
      }
    }
    return edits.length ? this.do(t("indent"), edits) : Promise.resolve(null);
  }
  outdent(rows: Row[]) {
    const edits: Edit[] = [];
    for (const row of [...rows].reverse()) {
      const parent = row.parent ? this.plan.rows.get(row.parent) : null;
      if (parent) edits.push({ op: "update", id: row.id, parent: parent.parent, after: parent.id });
    }
    return edits.length ? this.do(t("outdent"), edits) : Promise.resolve(null);
  }
  shift(row: Row, by: -1 | 1) {
    const other = by < 0 ? this.plan.before(row) : this.plan.after(row);
    if (!other) return Promise.resolve(null);
    const after = by > 0 ? other.id : (this.plan.before(other)?.id ?? null);
    return this.move(row, row.parent, after);
  }
  move(row: Row, parent: string | null, after: string | null) {
    return this.do(t("move_row", { name: row.subject }), [{ op: "update", id: row.id, parent, after }]);
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
