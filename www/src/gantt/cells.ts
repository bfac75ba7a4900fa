// SPDX-License-Identifier: Apache-2.0
// The columns of the table: what they show and what typing into them means.
import { isoDay, shortDay, typedDay } from "../lib/format.ts";
import type { Key } from "../lib/ja.ts";
import type { Workdays } from "./days.ts";
import type { Plan, Row, Visible } from "./model.ts";

export type Column = "wbs" | "name" | "assignee" | "start" | "end" | "days" | "progress";
/** The cell that is typed into; base: its row as it was when that began, text:
 * what stands in it by now, null: nothing was typed yet. */
export interface Editing {
  id: string;
  column: Column;
  base: Row;
  text: string | null;
}
export interface ColumnInfo {
  name: Column;
  width: number;
  label: Key;
  numeric?: boolean;
}
export const columns: ColumnInfo[] = [
  { name: "wbs", width: 52, label: "wbs" },
  { name: "name", width: 230, label: "task_name" },
  { name: "assignee", width: 88, label: "assignee" },
  { name: "start", width: 72, label: "start", numeric: true },
  { name: "end", width: 72, label: "end", numeric: true },
  { name: "days", width: 42, label: "days", numeric: true },
  { name: "progress", width: 60, label: "progress", numeric: true },
];

export interface CellContext {
  plan: Plan;
  days: Workdays;
  today: number;
  lang: "ja" | "en";
}

export function cellText(v: Visible, column: Column, c: CellContext): string {
  const { row } = v;
  const year = isoDay(c.today).slice(0, 4);
  switch (column) {
    case "wbs":
      return v.wbs;
    case "name":
      return row.subject;
    case "assignee":
      return row.assignee ? (c.plan.people.get(row.assignee) ?? "") : "";
    case "start":
      return row.start === null ? "" : shortDay(isoDay(row.start), c.lang, year);
    case "end":
      return row.end === null ? "" : shortDay(isoDay(row.end), c.lang, year);
    case "days":
      return row.start === null || row.end === null
        ? ""
        : row.classification === "milestone" ? "0" : String(c.days.count(row.start, row.end));
    case "progress":
      return `${row.progress}%`;
  }
}

/** What the editor of a cell begins with. */
export function editText(v: Visible, column: Column, c: CellContext): string {
  if (column === "start") return v.row.start === null ? "" : isoDay(v.row.start).replaceAll("-", "/");
  if (column === "end") return v.row.end === null ? "" : isoDay(v.row.end).replaceAll("-", "/");
  if (column === "progress") return String(v.row.progress);
  return cellText(v, column, c);
}

export type Typed = { fields: Record<string, unknown> } | { error: Key } | null;

/** Typed text as fields of an edit; null when nothing changes. */
export function typed(row: Row, column: Column, text: string, c: CellContext): Typed {
  const day = (d: number | null) => (d === null ? null : isoDay(d));
  if (column === "name") {
    const subject = text.trim();
    return !subject || subject === row.subject ? null : { fields: { subject } };
  }
  if (column === "start" || column === "end") {
    const from = column === "start" ? row.start : row.end;
    const value = typedDay(text, c.today, from);
    if (value === undefined) return { error: "bad_day" };
    if (value === from) return null;
    if (column === "end") {
      if (value !== null && row.start !== null && value < row.start) return { error: "end_first" };
      return { fields: { planned_end: day(value), ...(row.start === null ? { planned_start: day(value) } : {}) } };
    }
    if (value === null) return { fields: { planned_start: null } };
    const length = row.start !== null && row.end !== null ? c.days.count(row.start, row.end) : 1;
    const end = row.classification === "milestone" ? value : c.days.end(value, length);
    return { fields: { planned_start: day(value), planned_end: day(end) } };
  }
  if (column === "days") {
    const n = Number(text.normalize("NFKC").trim());
    if (!Number.isInteger(n) || n < 1 || n > 5000) return { error: "bad_number" };
    const start = c.days.next(row.start ?? c.today);
    return { fields: { planned_start: day(start), planned_end: day(c.days.end(start, n)) } };
  }
  if (column === "progress") {
    const n = Number(text.normalize("NFKC").replace("%", "").trim());
    if (!Number.isInteger(n) || n < 0 || n > 100) return { error: "bad_number" };
    return n === row.progress ? null : { fields: { progress: n } };
  }
  return null;
}

export const isDerived = (column: Column) => ["start", "end", "days", "progress"].includes(column);
