// SPDX-License-Identifier: Apache-2.0
// What a person does to the plan, from the gesture until the server has it: how
// it looks meanwhile, whom it would overwrite, and the way back.  Pure, so that
// it is tested without a browser.
import { isoDay, parseDay } from "../lib/format.ts";
import { type Delta, type Kind, type Link, Plan, type Row, readRow } from "./model.ts";

export interface Edit {
  op: "create" | "update" | "delete" | "restore" | "link" | "relink" | "unlink";
  id?: string;
  ref?: string;
  version?: number;
  [field: string]: unknown;
}
export type Fields = Record<string, unknown>;
/** A row as the person saw it when he began to change it. */
export interface Seen {
  name: string;
  parent: string | null;
  fields: Fields;
  below?: Record<string, Fields>; // of a row that goes: what goes along
}
export interface Change {
  key: string; // the same as long as nobody knows whether it was done
  label: string;
  edits: Edit[]; // rows not made yet are named by their refs
  seen: Record<string, Seen>;
  at: number; // in which order they were made
  tab: string;
  isBack: boolean; // undo or redo
  body?: Edit[]; // as sent, once it was
}

const day = (n: number | null) => (n === null ? null : isoDay(n));

/** The fields of a row as an edit writes them. */
export function fieldsOf(row: Row): Fields {
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

/** Ids of all rows below. */
export function below(plan: Plan, id: string): string[] {
  return plan.childrenOf(id).flatMap((row) => [row.id, ...below(plan, row.id)]);
}

const seenRow = (row: Row): Seen => ({ name: row.subject, parent: row.parent, fields: fieldsOf(row) });

/** What the plan shows of the rows that these edits touch; started: rows whose
 * editing began earlier, as they were then. */
export function look(plan: Plan, edits: Edit[], started: Row[] = []): Record<string, Seen> {
  const seen: Record<string, Seen> = {};
  for (const e of edits) {
    if ((e.op !== "update" && e.op !== "delete") || !e.id) continue;
    const row = started.find((r) => r.id === e.id) ?? plan.rows.get(e.id);
    if (!row) continue;
    seen[e.id] = seenRow(row);
    if (e.op === "delete") seen[e.id]!.below = Object.fromEntries(below(plan, e.id).map((id) => [id, fieldsOf(plan.rows.get(id)!)]));
  }
  return seen;
}

// ---- how it looks until the server has it ----

const dayOf = (v: unknown) => (v === null || v === undefined ? null : parseDay(v as string));

function valuesOf(e: Edit): Partial<Row> {
  const values: Partial<Row> = {};
  if ("planned_start" in e) values.start = dayOf(e.planned_start);
  if ("planned_end" in e) values.end = dayOf(e.planned_end);
  if ("actual_start" in e) values.actualStart = dayOf(e.actual_start);
  if ("actual_end" in e) values.actualEnd = dayOf(e.actual_end);
  if ("due" in e) values.due = dayOf(e.due);
  for (const name of ["subject", "classification", "status", "priority", "assignee", "progress", "estimate", "actual", "manual"] as const)
    if (name in e) (values as Record<string, unknown>)[name] = e[name];
  return values;
}

/** Between this sibling and the next; a sibling that is not there: last. */
function rankAfter(plan: Plan, id: string, parent: string | null, after: string | null | undefined): number {
  const siblings = plan.childrenOf(parent).filter((r) => r.id !== id);
  const at = after === null ? -1 : siblings.findIndex((r) => r.id === after);
  if (after === undefined || (after !== null && at < 0)) return (siblings.at(-1)?.rank ?? 0) + 1;
  const next = siblings[at + 1]?.rank;
  const previous = at < 0 ? (next ?? 2) - 2 : siblings[at]!.rank;
  return next === undefined ? previous + 1 : (previous + next) / 2;
}

function show(plan: Plan, e: Edit, name: string) {
  const id = e.id ?? "";
  const parent = (e.parent ?? null) as string | null;
  const after = e.after as string | null | undefined;
  if (e.op === "create") {
    const row: Row = {
      id: e.ref!, no: 0, parent, rank: rankAfter(plan, e.ref!, parent, after), classification: "task", status: "", subject: "", priority: "medium", assignee: null,
      start: null, end: null, actualStart: null, actualEnd: null, due: null, progress: 0, estimate: null, actual: null, manual: false, version: 0, ...valuesOf(e),
    };
    plan.put(row);
  }
  const row = plan.rows.get(id);
  if (e.op === "update" && row) {
    const to = "parent" in e ? parent : row.parent;
    const moves = "after" in e || to !== row.parent;
    plan.put({ ...row, ...valuesOf(e), parent: to, ...(moves ? { rank: rankAfter(plan, id, to, after) } : {}) });
  }
  if (e.op === "delete" && row) plan.drop([id, ...below(plan, id)]);
  if (e.op === "link" && plan.rows.has(e.predecessor as string) && plan.rows.has(e.successor as string))
    plan.links.set(name, { id: name, from: e.predecessor as string, to: e.successor as string, kind: (e.kind as Kind) ?? "FS", lag: (e.lag as number) ?? 0 });
  const link = plan.links.get(e.link as string);
  if (e.op === "relink" && link) plan.links.set(link.id, { ...link, kind: (e.kind as Kind) ?? link.kind, lag: (e.lag as number) ?? link.lag });
  if (e.op === "unlink") plan.links.delete(e.link as string);
}

/** The plan with what is not saved yet. */
export function withChanges(truth: Plan, changes: readonly Change[]): Plan {
  if (!changes.length) return truth;
  const plan = truth.copy();
  for (const c of changes) c.edits.forEach((e, i) => show(plan, e, `${c.key}-${i}`));
  return plan;
}

// ---- whom it would overwrite ----

export interface Clash {
  edit: number; // which of the change's edits
  id: string;
  name: string;
  /** A field; "parent": its place; "gone": it is deleted; "added", "changed":
   * a row that would be deleted along; "link". */
  field: string;
  mine: unknown;
  theirs: unknown;
  row?: Fields; // of one that was added
}

function clashesOfDelete(truth: Plan, e: Edit, n: number, seen: Seen): Clash[] {
  const found: Clash[] = [];
  const differing = (id: string, was: Fields | undefined) => {
    const row = truth.rows.get(id)!;
    const now = fieldsOf(row);
    if (!was) found.push({ edit: n, id, name: row.subject, field: "added", mine: null, theirs: row.subject, row: now });
    else
      for (const k of Object.keys(now))
        if (was[k] !== now[k] && !(truth.isParent(id) && derived.has(k))) found.push({ edit: n, id, name: row.subject, field: k, mine: undefined, theirs: now[k] });
  };
  differing(e.id!, seen.fields);
  for (const id of below(truth, e.id!)) differing(id, seen.below?.[id]);
  return found;
}

/** What others have changed since the person looked. */
export function clashesOf(truth: Plan, c: Change): Clash[] {
  const found: Clash[] = [];
  c.edits.forEach((e, n) => {
    const seen = e.id ? c.seen[e.id] : undefined;
    if (!seen || (e.op !== "update" && e.op !== "delete")) return;
    const row = truth.rows.get(e.id!);
    if (!row) {
      if (e.op === "update") found.push({ edit: n, id: e.id!, name: seen.name, field: "gone", mine: null, theirs: null });
      return;
    }
    if (e.op === "delete") {
      found.push(...clashesOfDelete(truth, e, n, seen));
      return;
    }
    const now = fieldsOf(row);
    for (const k of Object.keys(now))
      if (k in e && seen.fields[k] !== now[k] && now[k] !== e[k]) found.push({ edit: n, id: row.id, name: row.subject, field: k, mine: e[k], theirs: now[k] });
    if ("parent" in e && seen.parent !== row.parent && row.parent !== e.parent)
      found.push({ edit: n, id: row.id, name: row.subject, field: "parent", mine: e.parent, theirs: row.parent });
  });
  return found;
}

/** The change that brings these rows back before this one goes on: what the row
 * says then may be new to the person, and is held against the rest. */
export function restoring(c: Change, ids: readonly string[], key: string): [Change, Change] {
  const back = ids.map((id): Edit => ({ op: "restore", id }));
  return [{ ...c, key, edits: back, seen: {}, isBack: false, body: undefined }, { ...c, edits: c.edits.filter((e) => e.op !== "restore" || !ids.includes(e.id!)) }];
}
/** Rows that a change brings back and changes. */
export const backAndChanged = (c: Change) =>
  c.edits.flatMap((e) => (e.op === "restore" && c.edits.some((x) => x.id === e.id && x.op !== "restore") ? [e.id!] : []));

/** A row that the server never made: its making was refused. */
export const isUnmade = (id: string) => id.startsWith("new-");

/** The change without what clashes; edits that say nothing any more go. */
export function without(c: Change, clashes: readonly Clash[]): Change {
  const edits = c.edits.map((e) => ({ ...e }));
  const drop = new Set<number>();
  for (const x of clashes) {
    const e = edits[x.edit]!;
    if (e.op === "delete" || x.field === "gone") drop.add(x.edit);
    else if (x.field === "parent") (delete e.parent, delete e.after);
    else delete e[x.field];
  }
  const says = (e: Edit, n: number) => !drop.has(n) && (e.op !== "update" || Object.keys(e).some((k) => !["op", "id", "version"].includes(k)));
  return { ...c, edits: edits.filter(says) };
}

/** The change by a person who has seen this of the others', and goes on. */
export function knowing(c: Change, clashes: readonly Clash[]): Change {
  const seen = { ...c.seen };
  for (const x of clashes) {
    const at = c.edits[x.edit]!.id!;
    const s = { ...seen[at]! };
    if (x.field === "parent") s.parent = x.theirs as string | null;
    else if (x.id === at) s.fields = { ...s.fields, [x.field]: x.theirs };
    else s.below = { ...s.below, [x.id]: x.row ?? { ...s.below![x.id], [x.field]: x.theirs } };
    seen[at] = s;
  }
  return { ...c, seen };
}

/** As it is sent: on the versions at hand, and without what is not there any
 * more to be changed, deleted, linked or stood behind. */
export function bodyOf(truth: Plan, c: Change): Edit[] {
  const made = new Set(c.edits.flatMap((e) => (e.ref ? [e.ref] : [])));
  const back = new Set(c.edits.flatMap((e) => (e.op === "restore" && !truth.rows.has(e.id!) ? [e.id!] : [])));
  const isThere = (id: unknown) => truth.rows.has(id as string) || made.has(id as string) || back.has(id as string);
  const body: Edit[] = [];
  for (const one of c.edits) {
    const e = { ...one };
    if (e.op === "restore" && truth.rows.has(e.id!)) continue;
    if ((e.op === "update" || e.op === "delete") && !isThere(e.id)) continue;
    if (e.op === "link" && !(isThere(e.predecessor) && isThere(e.successor))) continue;
    if ((e.op === "relink" || e.op === "unlink") && !truth.links.has(e.link as string)) continue;
    if (e.op === "create" || e.op === "update") {
      if (e.parent && !isThere(e.parent)) {
        if (e.op === "create") e.parent = null;
        else delete e.parent;
        delete e.after;
      }
      const to = "parent" in e ? e.parent : e.op === "create" ? null : truth.rows.get(e.id!)?.parent;
      const sibling = truth.rows.get(e.after as string);
      // its place among others that move in this very change is the server's to judge
      const moved = c.edits.some((x) => x.id === e.after && "parent" in x);
      if (e.after && !made.has(e.after as string) && !back.has(e.after as string) && !moved && sibling?.parent !== to) delete e.after;
    }
    if (e.op === "update" || e.op === "delete") e.version = truth.rows.get(e.id!)?.version ?? 1;
    if (e.op !== "update" || Object.keys(e).length > 3) body.push(e);
  }
  return body;
}

/** Whether a later change names a row that this one makes or changes. */
export function buildsOn(later: Change, c: Change): boolean {
  const own = new Set(c.edits.flatMap((e) => [e.ref, e.id].filter((x) => x !== undefined)));
  return later.edits.some((e) => [e.id, e.parent, e.after, e.predecessor, e.successor].some((x) => own.has(x as string)));
}

// ---- when it is done ----

/** Refs became ids. */
export function renamed(c: Change, ids: ReadonlyMap<string, string>): Change {
  const name = (v: unknown) => ids.get(v as string) ?? v;
  const keys = <T>(map: Record<string, T>) => Object.fromEntries(Object.entries(map).map(([k, v]) => [name(k) as string, v]));
  const edits = c.edits.map((e) => {
    const out: Edit = { ...e };
    for (const k of ["id", "parent", "after", "predecessor", "successor"]) if (k in out) out[k] = name(out[k]);
    return out;
  });
  const seen = keys(c.seen);
  for (const s of Object.values(seen)) {
    s.parent = name(s.parent) as string | null;
    if (s.below) s.below = keys(s.below);
  }
  return { ...c, edits, seen };
}

/** One's own earlier change is done: what followed from it (pushed dates, a
 * status) was not somebody else's, and is known to the changes that wait. */
export function aware(c: Change, before: ReadonlyMap<string, Row>, truth: Plan, rows: unknown[][]): Change {
  const seen: Record<string, Seen> = {};
  for (const [id, s] of Object.entries(c.seen)) seen[id] = { ...s, fields: { ...s.fields }, ...(s.below ? { below: { ...s.below } } : {}) };
  for (const cells of rows) {
    const now = readRow(truth.columns, cells);
    const old = before.get(now.id);
    const [a, b] = [old && fieldsOf(old), fieldsOf(now)];
    const learn = (f: Fields) => {
      for (const k of Object.keys(b)) if (!a || f[k] === a[k] || f[k] === undefined) f[k] = b[k];
    };
    if (seen[now.id]) {
      learn(seen[now.id]!.fields);
      if (!old || seen[now.id]!.parent === old.parent) seen[now.id]!.parent = now.parent;
    }
    for (const [id, s] of Object.entries(seen)) {
      if (!s.below || !truth.isBelow(now.id, id) || now.id === id) continue;
      const known = { ...(s.below[now.id] ?? b) };
      learn(known);
      s.below[now.id] = known;
    }
  }
  return { ...c, seen };
}

/** The same for a row that is being typed into. */
export function awareRow(row: Row, before: ReadonlyMap<string, Row>, now: Row): Row {
  const old = before.get(now.id);
  const learnt = Object.entries(now).filter(([k]) => !old || row[k as keyof Row] === old[k as keyof Row]);
  return { ...row, ...Object.fromEntries(learnt) };
}

/** The plan before a change, for the way back. */
export interface Before {
  rows: Map<string, Row>;
  links: Map<string, Link>;
  previous: Map<string, string | null>; // sibling before, by row
}
export function snapshot(plan: Plan): Before {
  const previous = new Map<string, string | null>();
  const walk = (parent: string | null) => {
    let last: string | null = null;
    for (const row of plan.childrenOf(parent)) {
      previous.set(row.id, last);
      last = row.id;
      walk(row.id);
    }
  };
  walk(null);
  return { rows: new Map(plan.rows), links: new Map(plan.links), previous };
}

export interface Back {
  edits: Edit[];
  seen: Record<string, Seen>;
}
/** The way from the plan as it is now back to what it was, and what the person
 * left: whoever changes that later is asked for. */
export function inverse(plan: Plan, before: Before, delta: Delta): Back {
  const edits: Edit[] = [];
  for (const [id] of delta.links) {
    const link = before.links.get(id);
    const now = plan.links.get(id);
    if (!link) edits.push({ op: "unlink", link: id });
    else if (now && (now.kind !== link.kind || now.lag !== link.lag)) edits.push({ op: "relink", link: id, kind: link.kind, lag: link.lag });
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
      if (old.parent !== now.parent) edit.parent = old.parent;
      edit.after = before.previous.get(now.id) ?? null;
    }
    if (Object.keys(edit).length > 2) edits.push(edit);
  }
  for (const id of delta.gone?.links ?? []) {
    const link = before.links.get(id);
    if (link && !gone.has(link.from) && !gone.has(link.to)) edits.push({ op: "link", predecessor: link.from, successor: link.to, kind: link.kind, lag: link.lag });
  }
  return { edits, seen: look(plan, edits) };
}

/** At most 2,000 go in one request: rows in the order they stand, so that a
 * parent is there before what hangs on it. */
export const EDITS_MAX = 2000;
