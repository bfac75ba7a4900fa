// SPDX-License-Identifier: Apache-2.0
// Where things are: days to x, rows to y, header cells, link paths, and what
// lies under the pointer.
import { DAY_MS, monthNames, weekday, weekdayName } from "../lib/format.ts";
import type { Kind, Row } from "./model.ts";

export const ROW = 28;
export const HEAD = 48;
export const BAR = 16;

export const zooms = ["day", "week", "month", "quarter"] as const;
export type Zoom = (typeof zooms)[number];
const widths: Record<Zoom, number> = { day: 28, week: 12, month: 4, quarter: 1.6 };

/** The scale at which a plan of so many days is seen at a glance. */
export const zoomFor = (days: number): Zoom => (days <= 60 ? "day" : days <= 240 ? "week" : days <= 1000 ? "month" : "quarter");

export class Scale {
  readonly zoom: Zoom;
  readonly first: number; // day at x = 0
  readonly last: number;
  readonly px: number; // a day
  constructor(zoom: Zoom, from: number, to: number) {
    this.zoom = zoom;
    this.px = widths[zoom];
    const pad = zoom === "day" ? 14 : zoom === "week" ? 28 : 90;
    this.first = from - pad - weekday(from - pad);
    this.last = Math.max(to + pad * 2, this.first + Math.ceil(1600 / this.px));
  }
  get width() {
    return (this.last - this.first + 1) * this.px;
  }
  /** Left edge of a day. */
  x(day: number) {
    return (day - this.first) * this.px;
  }
  day(x: number) {
    return Math.floor(x / this.px) + this.first;
  }
}

export interface HeadCell {
  x: number;
  width: number;
  text: string;
}

function parts(day: number) {
  const date = new Date(day * DAY_MS);
  return { y: date.getUTCFullYear(), m: date.getUTCMonth(), d: date.getUTCDate() };
}

type Unit = "day" | "week" | "month" | "quarter" | "year";
const units: Record<Zoom, [Unit, Unit]> = {
  day: ["month", "day"],
  week: ["month", "week"],
  month: ["year", "month"],
  quarter: ["year", "quarter"],
};

function startsUnit(day: number, unit: Unit) {
  const { m, d } = parts(day);
  if (unit === "day") return true;
  if (unit === "week") return weekday(day) === 1;
  if (unit === "month") return d === 1;
  if (unit === "quarter") return d === 1 && m % 3 === 0;
  return d === 1 && m === 0;
}

function label(day: number, unit: Unit, lang: "ja" | "en", zoom: Zoom): string {
  const { y, m, d } = parts(day);
  const ja = lang === "ja";
  if (unit === "day") return String(d);
  if (unit === "week") return ja ? `${m + 1}/${d}` : `${d} ${monthNames[m]}`;
  if (unit === "quarter") return `Q${m / 3 + 1}`;
  if (unit === "year") return ja ? `${y}年` : String(y);
  if (zoom === "month") return ja ? `${m + 1}月` : monthNames[m]!;
  return ja ? `${y}年${m + 1}月` : `${monthNames[m]} ${y}`;
}

/** The two rows of the header between two days. */
export function header(scale: Scale, from: number, to: number, lang: "ja" | "en"): [HeadCell[], HeadCell[]] {
  return units[scale.zoom].map((unit) => {
    const cells: HeadCell[] = [];
    let begin = from;
    while (begin > scale.first - 400 && !startsUnit(begin, unit)) begin--;
    for (let day = begin; day <= to; ) {
      let end = day + 1;
      while (!startsUnit(end, unit)) end++;
      cells.push({ x: scale.x(day), width: (end - day) * scale.px, text: label(day, unit, lang, scale.zoom) });
      day = end;
    }
    return cells;
  }) as [HeadCell[], HeadCell[]];
}

export const dayLetter = (day: number, lang: "ja" | "en") => weekdayName(weekday(day), lang).slice(0, 1);

export interface Box {
  x: number;
  width: number;
}

/** A bar's left edge and width; a milestone's is its diamond. */
export function barBox(scale: Scale, row: Row): Box | null {
  if (row.start === null || row.end === null) return null;
  if (row.classification === "milestone") {
    const middle = scale.x(row.end + 1) - scale.px / 2;
    return { x: middle - 7, width: 14 };
  }
  return { x: scale.x(row.start), width: Math.max(3, (row.end - row.start + 1) * scale.px) };
}

export type Point = [number, number];

/** A right-angled path from one bar's edge to another's. */
export function linkPath(kind: Kind, from: Box, fromY: number, to: Box, toY: number): Point[] {
  const outRight = kind === "FS" || kind === "FF";
  const inLeft = kind === "FS" || kind === "SS";
  const x1 = outRight ? from.x + from.width : from.x;
  const x2 = inLeft ? to.x : to.x + to.width;
  const out = x1 + (outRight ? 8 : -8);
  const into = x2 + (inLeft ? -8 : 8);
  if (kind === "FS" && x2 >= x1 + 6 && fromY !== toY) {
    const turn = Math.max(out - 2, x1 + 4);
    if (x2 - turn >= 6) return [[x1, fromY], [turn, fromY], [turn, toY], [x2, toY]];
  }
  if (kind === "SS") {
    const x = Math.min(out, into);
    return [[x1, fromY], [x, fromY], [x, toY], [x2, toY]];
  }
  if (kind === "FF") {
    const x = Math.max(out, into);
    return [[x1, fromY], [x, fromY], [x, toY], [x2, toY]];
  }
  const middle = fromY + (toY > fromY ? ROW / 2 : -ROW / 2);
  return [[x1, fromY], [out, fromY], [out, middle], [into, middle], [into, toY], [x2, toY]];
}

/** Distance from a point to a path. */
export function distance(path: Point[], x: number, y: number): number {
  let best = Infinity;
  for (let i = 1; i < path.length; i++) {
    const [x1, y1] = path[i - 1]!;
    const [x2, y2] = path[i]!;
    const cx = Math.min(Math.max(x, Math.min(x1, x2)), Math.max(x1, x2));
    const cy = Math.min(Math.max(y, Math.min(y1, y2)), Math.max(y1, y2));
    best = Math.min(best, Math.hypot(x - cx, y - cy));
  }
  return best;
}

export type Part = "body" | "start" | "end" | "progress" | "link_start" | "link_end";

/** Which part of a bar is at this x. */
export function partAt(box: Box, row: Row, x: number, isParent: boolean): Part | null {
  const right = box.x + box.width;
  if (x >= right + 3 && x <= right + 15) return "link_end";
  if (x <= box.x - 3 && x >= box.x - 15) return "link_start";
  if (x < box.x - 2 || x > right + 2) return null;
  if (isParent || row.classification === "milestone") return "body";
  if (x > right - 6) return "end";
  if (x < box.x + 6 && box.width > 16) return "start";
  const knob = knobAt(box, row);
  return knob !== null && Math.abs(x - knob) < 4 ? "progress" : "body";
}

/** Where a bar's progress is taken: beside its ends at 0 and 100 %; null: the
 * bar is too short. */
export function knobAt(box: Box, row: Row): number | null {
  if (box.width <= 40) return null;
  return Math.max(box.x + 10, Math.min(box.x + box.width - 10, box.x + (box.width * row.progress) / 100));
}
