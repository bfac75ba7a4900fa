// SPDX-License-Identifier: Apache-2.0
// The plan as the browser holds it: rows by id, children in order, what is
// visible.  Pure, so that it is tested without a browser.
import { bearsMark } from "../lib/marks.ts";
import { parseDay } from "../lib/format.ts";
import type { PlanCalendar } from "./days.ts";

export type Kind = "FS" | "SS" | "FF" | "SF";

export interface Row {
  id: string;
  no: number;
  parent: string | null;
  rank: number;
  classification: string;
  status: string;
  subject: string;
  priority: string;
  assignee: string | null;
  start: number | null;
  end: number | null;
  actualStart: number | null;
  actualEnd: number | null;
  due: number | null;
  progress: number;
  estimate: number | null;
  actual: number | null;
  manual: boolean;
  version: number;
}

export interface Link {
  id: string;
  from: string;
  to: string;
  kind: Kind;
  lag: number;
}

export interface Delta {
  revision: number;
  columns?: string[];
  rows: unknown[][];
  links: [string, string, string, Kind, number][];
  gone?: { tickets: string[]; links: string[] };
  people?: [string, string][];
  labels?: [string, string][];
}

export interface PlanReply extends Delta {
  project: {
    id: string;
    key: string;
    name: string;
    approach: string;
    auto_dates: boolean;
    auto_parent: boolean;
    rights: string[];
  };
  calendar: PlanCalendar;
  today: string;
}

export interface Visible {
  row: Row;
  depth: number;
  wbs: string;
  parent: boolean;
}

const fields: Record<string, (row: any, value: any) => void> = {
  id: (r, v) => (r.id = v),
  no: (r, v) => (r.no = v),
  parent: (r, v) => (r.parent = v),
  rank: (r, v) => (r.rank = v),
  classification: (r, v) => (r.classification = v),
  status: (r, v) => (r.status = v),
  subject: (r, v) => (r.subject = v),
  priority: (r, v) => (r.priority = v),
  assignee: (r, v) => (r.assignee = v),
  planned_start: (r, v) => (r.start = parseDay(v)),
  planned_end: (r, v) => (r.end = parseDay(v)),
  actual_start: (r, v) => (r.actualStart = parseDay(v)),
  actual_end: (r, v) => (r.actualEnd = parseDay(v)),
  due: (r, v) => (r.due = parseDay(v)),
  progress: (r, v) => (r.progress = v),
  estimate: (r, v) => (r.estimate = v),
  actual: (r, v) => (r.actual = v),
  manual: (r, v) => (r.manual = Boolean(v)),
  version: (r, v) => (r.version = v),
};

export function readRow(columns: string[], cells: unknown[]): Row {
  const row = {} as Row;
  columns.forEach((name, i) => fields[name]?.(row, cells[i]));
  return row;
}

export class Plan {
  columns: string[];
  revision = 0;
  rows = new Map<string, Row>();
  links = new Map<string, Link>();
  people = new Map<string, string>();
  /** Of a ticket; most have none. */
  labels = new Map<string, string[]>();
  private children = new Map<string | null, Row[]>();
  private outgoing: Map<string, Link[]> | null = null;

  constructor(reply: Delta & { columns?: string[] }) {
    this.columns = reply.columns ?? [];
    this.apply(reply);
  }

  /** Takes what the server says has changed. */
  apply(delta: Delta) {
    for (const cells of delta.rows) {
      const row = readRow(this.columns, cells);
      this.rows.set(row.id, row);
      this.labels.delete(row.id);
    }
    for (const [id, label] of delta.labels ?? []) this.labels.set(id, [...(this.labels.get(id) ?? []), label]);
    for (const [id, from, to, kind, lag] of delta.links) this.links.set(id, { id, from, to, kind, lag });
    for (const id of delta.gone?.tickets ?? []) this.rows.delete(id);
    for (const id of delta.gone?.links ?? []) this.links.delete(id);
    for (const [id, name] of delta.people ?? []) this.people.set(id, name);
    this.revision = delta.revision;
    this.outgoing = null;
    this.order();
  }

  /** Another plan of the same rows, which are never changed in place. */
  copy(): Plan {
    const plan = new Plan({ columns: this.columns, revision: this.revision, rows: [], links: [] });
    plan.rows = new Map(this.rows);
    plan.links = new Map(this.links);
    plan.people = this.people;
    plan.labels = this.labels;
    plan.order();
    return plan;
  }
  /** For what is only shown yet. */
  put(row: Row) {
    this.rows.set(row.id, row);
    this.order();
  }
  drop(ids: string[]) {
    for (const id of ids) this.rows.delete(id);
    const gone = new Set(ids);
    for (const link of this.links.values()) if (gone.has(link.from) || gone.has(link.to)) this.links.delete(link.id);
    this.order();
  }

  private order() {
    this.children = new Map();
    for (const row of this.rows.values()) {
      const parent = row.parent && this.rows.has(row.parent) ? row.parent : null;
      const list = this.children.get(parent);
      if (list) list.push(row);
      else this.children.set(parent, [row]);
    }
    for (const list of this.children.values()) list.sort((a, b) => a.rank - b.rank || a.no - b.no);
  }

  childrenOf(id: string | null): Row[] {
    return this.children.get(id) ?? [];
  }
  isParent(id: string): boolean {
    return this.children.has(id);
  }
  linksFrom(id: string): Link[] {
    if (!this.outgoing) {
      this.outgoing = new Map();
      for (const link of this.links.values()) {
        const list = this.outgoing.get(link.from);
        if (list) list.push(link);
        else this.outgoing.set(link.from, [link]);
      }
    }
    return this.outgoing.get(id) ?? [];
  }
  /** The sibling before, or null. */
  before(row: Row): Row | null {
    const list = this.childrenOf(row.parent);
    return list[list.findIndex((r) => r.id === row.id) - 1] ?? null;
  }
  after(row: Row): Row | null {
    const list = this.childrenOf(row.parent);
    return list[list.findIndex((r) => r.id === row.id) + 1] ?? null;
  }
  isBelow(id: string, ancestor: string): boolean {
    for (let at = this.rows.get(id); at; at = at.parent ? this.rows.get(at.parent) : undefined)
      if (at.id === ancestor) return true;
    return false;
  }

  /** Rows in WBS order; with a filter, matches and their ancestors. */
  visible(collapsed: ReadonlySet<string>, filter = "", labels = ""): Visible[] {
    const out: Visible[] = [];
    const word = filter.normalize("NFKC").toLowerCase().trim();
    const keep = word || labels ? this.matching(word, labels) : null;
    const walk = (parent: string | null, depth: number, prefix: string) => {
      this.childrenOf(parent).forEach((row, i) => {
        if (keep && !keep.has(row.id)) return;
        const wbs = prefix + (i + 1);
        const isParent = this.isParent(row.id);
        out.push({ row, depth, wbs, parent: isParent });
        if (isParent && (keep || !collapsed.has(row.id))) walk(row.id, depth + 1, `${wbs}.`);
      });
    };
    walk(null, 0, "");
    return out;
  }

  private matching(word: string, labels: string): Set<string> {
    const keep = new Set<string>();
    for (const row of this.rows.values()) {
      const text = `${row.subject} ${row.assignee ? this.people.get(row.assignee) ?? "" : ""}`;
      if (!text.normalize("NFKC").toLowerCase().includes(word) || !bearsMark(labels, this.labels.get(row.id))) continue;
      for (let at: Row | undefined = row; at && !keep.has(at.id); at = at.parent ? this.rows.get(at.parent) : undefined)
        keep.add(at.id);
    }
    return keep;
  }

  /** First and last day of anything. */
  span(today: number): [number, number] {
    let first = today;
    let last = today;
    for (const row of this.rows.values()) {
      if (row.start !== null && row.start < first) first = row.start;
      if (row.end !== null && row.end > last) last = row.end;
    }
    return [first, last];
  }
}
