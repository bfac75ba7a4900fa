// SPDX-License-Identifier: Apache-2.0
// The chart on its canvas: only what is in the window is drawn.
import type { Workdays } from "./days.ts";
import { BAR, type Box, HEAD, ROW, type Point, Scale, barBox, header, knobAt, linkPath } from "./layout.ts";
import type { Kind, Plan, Row, Visible } from "./model.ts";

export interface Ghost {
  id: string;
  start: number;
  end: number;
  progress: number;
  label: string;
}
export interface Scene {
  plan: Plan;
  rows: Visible[];
  index: Map<string, number>;
  scale: Scale;
  days: Workdays;
  today: number;
  lang: "ja" | "en";
  width: number;
  height: number;
  left: number;
  top: number;
  selected: ReadonlySet<string>;
  hoverRow: string | null;
  hoverLink: string | null;
  conflicts: ReadonlySet<string>;
  ghost: Ghost | null;
  pulling: { x1: number; y1: number; x2: number; y2: number } | null;
  doneStatus: ReadonlySet<string>;
  statusLine: number | null;
}

const names = [
  "surface", "raised", "sunken", "line", "text", "muted", "accent", "bar", "bar-soft", "done", "done-soft", "late",
  "late-soft", "parent", "milestone", "link", "today", "off", "selection", "danger", "ok",
] as const;
type Colors = Record<(typeof names)[number], string>;

export function readColors(element: Element): Colors {
  const style = getComputedStyle(element);
  return Object.fromEntries(names.map((n) => [n, style.getPropertyValue(`--${n}`).trim()])) as Colors;
}

export const isLate = (row: Row, today: number, done: ReadonlySet<string>) =>
  row.end !== null && row.end < today && row.progress < 100 && !done.has(row.status);

export function draw(g: CanvasRenderingContext2D, s: Scene, c: Colors, ratio: number) {
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, s.width, s.height);
  g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  g.textBaseline = "middle";
  const first = Math.max(0, Math.floor(s.top / ROW) - 1);
  const last = Math.min(s.rows.length - 1, Math.ceil((s.top + s.height - HEAD) / ROW));
  const from = s.scale.day(s.left) - 1;
  const to = s.scale.day(s.left + s.width) + 1;
  g.save();
  g.beginPath();
  g.rect(0, HEAD, s.width, s.height - HEAD);
  g.clip();
  g.translate(-s.left, HEAD - s.top);
  drawBackground(g, s, c, from, to, first, last);
  drawLinks(g, s, c, first, last);
  for (let i = first; i <= last; i++) drawRow(g, s, c, i);
  drawStatusLine(g, s, c, first, last);
  drawGhost(g, s, c);
  drawPulling(g, s, c);
  g.restore();
  drawArrows(g, s, c, first, last);
  drawHeader(g, s, c, from, to);
}

function drawBackground(g: CanvasRenderingContext2D, s: Scene, c: Colors, from: number, to: number, first: number, last: number) {
  g.fillStyle = c.selection;
  for (let i = first; i <= last; i++)
    if (s.selected.has(s.rows[i]!.row.id)) g.fillRect(s.left, i * ROW, s.width, ROW);
  g.fillStyle = c.off;
  if (s.scale.px >= 4)
    for (let day = from; day <= to; day++)
      if (!s.days.works(day)) g.fillRect(s.scale.x(day), s.top, s.scale.px, s.height);
  g.strokeStyle = c.line;
  g.lineWidth = 1;
  g.beginPath();
  const [major, minor] = header(s.scale, from, to, s.lang);
  for (const cell of s.scale.zoom === "day" ? major : minor) {
    g.moveTo(Math.round(cell.x) + 0.5, s.top);
    g.lineTo(Math.round(cell.x) + 0.5, s.top + s.height);
  }
  g.globalAlpha = 0.6;
  g.stroke();
  g.globalAlpha = 1;
  const x = Math.round(s.scale.x(s.today) + s.scale.px / 2) + 0.5;
  g.strokeStyle = c.today;
  g.beginPath();
  g.moveTo(x, s.top);
  g.lineTo(x, s.top + s.height);
  g.stroke();
}

const middle = (i: number) => i * ROW + ROW / 2;

function drawRow(g: CanvasRenderingContext2D, s: Scene, c: Colors, i: number) {
  const { row, parent } = s.rows[i]!;
  const box = barBox(s.scale, row);
  if (!box || box.x > s.left + s.width + 400 || box.x + box.width < s.left - 600) return;
  const y = middle(i);
  const late = isLate(row, s.today, s.doneStatus);
  const done = row.progress === 100 || s.doneStatus.has(row.status);
  if (parent) drawParent(g, c, row, box, y, late);
  else if (row.classification === "milestone") drawMilestone(g, c, box, y, late, done);
  else drawBar(g, s, c, row, box, y, late, done);
  if (row.due !== null) drawDue(g, s, c, row.due, y);
  if (s.hoverRow === row.id && !parent) drawHandles(g, c, row, box, y);
  drawLabel(g, s, c, row, box, y, late, parent);
}

function drawParent(g: CanvasRenderingContext2D, c: Colors, row: Row, box: Box, y: number, late: boolean) {
  g.fillStyle = late ? c.late : c.parent;
  const top = y - 6;
  g.globalAlpha = 0.35;
  g.fillRect(box.x, top, box.width, 6);
  g.globalAlpha = 1;
  g.fillRect(box.x, top, (box.width * row.progress) / 100, 6);
  g.beginPath();
  g.moveTo(box.x, top);
  g.lineTo(box.x + 6, top + 6);
  g.lineTo(box.x, top + 11);
  g.moveTo(box.x + box.width, top);
  g.lineTo(box.x + box.width - 6, top + 6);
  g.lineTo(box.x + box.width, top + 11);
  g.fill();
}

function drawMilestone(g: CanvasRenderingContext2D, c: Colors, box: Box, y: number, late: boolean, done: boolean) {
  const x = box.x + 7;
  g.beginPath();
  g.moveTo(x, y - 7);
  g.lineTo(x + 7, y);
  g.lineTo(x, y + 7);
  g.lineTo(x - 7, y);
  g.closePath();
  g.fillStyle = late ? c.late : done ? c.done : c.milestone;
  g.fill();
}

function drawBar(g: CanvasRenderingContext2D, s: Scene, c: Colors, row: Row, box: Box, y: number, late: boolean, done: boolean) {
  const top = y - BAR / 2;
  g.beginPath();
  if (row.classification === "deliverable" && box.width > 14) documentShape(g, box, top);
  else g.roundRect(box.x, top, box.width, BAR, 3);
  g.fillStyle = done ? c["done-soft"] : c["bar-soft"];
  g.fill();
  g.save();
  g.clip();
  g.fillStyle = done ? c.done : c.bar;
  g.fillRect(box.x, top, (box.width * row.progress) / 100, BAR);
  if (late) hatch(g, s, c, row, box, top);
  g.restore();
  if (late || s.conflicts.has(row.id)) {
    g.strokeStyle = c.late;
    g.lineWidth = 1.5;
    g.stroke();
    g.lineWidth = 1;
  }
}

/** A sheet with its corner turned down. */
function documentShape(g: CanvasRenderingContext2D, box: Box, top: number) {
  const right = box.x + box.width;
  g.moveTo(box.x, top);
  g.lineTo(right - 6, top);
  g.lineTo(right, top + 6);
  g.lineTo(right, top + BAR);
  g.lineTo(box.x, top + BAR);
  g.closePath();
}

/** What should be done by today and is not. */
function hatch(g: CanvasRenderingContext2D, s: Scene, c: Colors, row: Row, box: Box, top: number) {
  const from = box.x + (box.width * row.progress) / 100;
  const to = Math.min(box.x + box.width, s.scale.x(s.today));
  g.fillStyle = c["late-soft"];
  g.fillRect(from, top, Math.max(0, to - from), BAR);
  g.strokeStyle = c.late;
  g.globalAlpha = 0.55;
  const path = new Path2D();
  for (let x = from - BAR; x < to; x += 6) {
    path.moveTo(x, top + BAR);
    path.lineTo(x + BAR, top);
  }
  g.save();
  const clip = new Path2D();
  clip.rect(from, top, Math.max(0, to - from), BAR);
  g.clip(clip);
  g.stroke(path);
  g.restore();
  g.globalAlpha = 1;
}

function drawDue(g: CanvasRenderingContext2D, s: Scene, c: Colors, due: number, y: number) {
  const x = s.scale.x(due + 1);
  g.fillStyle = c.danger;
  g.beginPath();
  g.moveTo(x, y - 2);
  g.lineTo(x - 4, y - 10);
  g.lineTo(x + 4, y - 10);
  g.fill();
}

function drawHandles(g: CanvasRenderingContext2D, c: Colors, row: Row, box: Box, y: number) {
  g.fillStyle = c.surface;
  g.strokeStyle = c.accent;
  for (const x of [box.x - 9, box.x + box.width + 9]) {
    g.beginPath();
    g.arc(x, y, 4, 0, Math.PI * 2);
    g.fill();
    g.stroke();
  }
  const knob = row.classification === "milestone" ? null : knobAt(box, row);
  if (knob === null) return;
  g.beginPath();
  g.moveTo(knob, y + BAR / 2 - 1);
  g.lineTo(knob + 5, y + BAR / 2 + 6);
  g.lineTo(knob - 5, y + BAR / 2 + 6);
  g.closePath();
  g.fill();
  g.stroke();
}

function drawLabel(g: CanvasRenderingContext2D, s: Scene, c: Colors, row: Row, box: Box, y: number, late: boolean, parent: boolean) {
  // of a bar to the left only the arrow tells
  if (box.x + box.width < s.left) return;
  const width = g.measureText(row.subject).width;
  const inside = !parent && row.classification !== "milestone" && width + 12 < box.width;
  g.fillStyle = late ? c.danger : inside ? c.text : c.muted;
  g.textAlign = "left";
  const x = inside ? box.x + 6 : box.x + box.width + (s.hoverRow === row.id ? 18 : 8);
  g.fillText(row.subject, x, y + (parent ? -1 : 0.5));
}

function drawLinks(g: CanvasRenderingContext2D, s: Scene, c: Colors, first: number, last: number) {
  for (const link of s.plan.links.values()) {
    const a = s.index.get(link.from);
    const b = s.index.get(link.to);
    if (a === undefined || b === undefined || Math.max(a, b) < first || Math.min(a, b) > last) continue;
    const path = pathOf(s, link.kind, a, b);
    if (!path) continue;
    const lit = s.hoverLink === link.id;
    const wrong = s.conflicts.has(link.id);
    g.strokeStyle = g.fillStyle = wrong ? c.danger : lit ? c.accent : c.link;
    g.lineWidth = lit || wrong ? 2 : 1.2;
    strokePath(g, path);
    arrowHead(g, path);
  }
  g.lineWidth = 1;
}

export function pathOf(s: Pick<Scene, "rows" | "scale">, kind: Kind, a: number, b: number): Point[] | null {
  const from = barBox(s.scale, s.rows[a]!.row);
  const to = barBox(s.scale, s.rows[b]!.row);
  return from && to ? linkPath(kind, from, middle(a), to, middle(b)) : null;
}

function strokePath(g: CanvasRenderingContext2D, path: Point[]) {
  g.beginPath();
  g.moveTo(...path[0]!);
  for (let i = 1; i < path.length - 1; i++) g.arcTo(...path[i]!, ...path[i + 1]!, 4);
  g.lineTo(...path.at(-1)!);
  g.stroke();
}

function arrowHead(g: CanvasRenderingContext2D, path: Point[]) {
  const [x, y] = path.at(-1)!;
  const side = x >= path.at(-2)![0] ? -1 : 1;
  g.beginPath();
  g.moveTo(x, y);
  g.lineTo(x + side * 6, y - 3.5);
  g.lineTo(x + side * 6, y + 3.5);
  g.fill();
}

/** The progress line: through each row's progress point at the status date. */
function drawStatusLine(g: CanvasRenderingContext2D, s: Scene, c: Colors, first: number, last: number) {
  if (s.statusLine === null) return;
  const base = s.scale.x(s.statusLine) + s.scale.px / 2;
  g.lineWidth = 2;
  let from: Point = [base, middle(first - 1)];
  for (let i = first; i <= last; i++) {
    const { row, parent } = s.rows[i]!;
    const box = barBox(s.scale, row);
    let x = base;
    if (box && !parent && row.start !== null && row.end !== null) {
      const point = box.x + (box.width * row.progress) / 100;
      const begun = row.start <= s.statusLine;
      if (row.progress < 100 && begun && point < base) x = point;
      else if (row.progress > 0 && point > base) x = point;
    }
    const to: Point = [x, middle(i)];
    g.strokeStyle = Math.min(from[0], to[0]) < base - 0.5 ? c.danger : c.ok;
    g.beginPath();
    g.moveTo(...from);
    g.lineTo(...to);
    g.stroke();
    from = to;
  }
  g.lineWidth = 1;
}

function drawGhost(g: CanvasRenderingContext2D, s: Scene, c: Colors) {
  const i = s.ghost ? s.index.get(s.ghost.id) : undefined;
  if (!s.ghost || i === undefined) return;
  const row = { ...s.rows[i]!.row, start: s.ghost.start, end: s.ghost.end };
  const box = barBox(s.scale, row)!;
  const y = middle(i);
  g.globalAlpha = 0.75;
  g.fillStyle = c.accent;
  g.beginPath();
  g.roundRect(box.x, y - BAR / 2, box.width, BAR, 3);
  g.fill();
  g.globalAlpha = 1;
  const width = g.measureText(s.ghost.label).width + 16;
  const x = Math.min(Math.max(box.x, s.left + 4), s.left + s.width - width - 4);
  const above = y - 34 > s.top;
  const ly = above ? y - 32 : y + 12;
  g.fillStyle = c.text;
  g.beginPath();
  g.roundRect(x, ly, width, 22, 5);
  g.fill();
  g.fillStyle = c.surface;
  g.fillText(s.ghost.label, x + 8, ly + 11.5);
}

function drawPulling(g: CanvasRenderingContext2D, s: Scene, c: Colors) {
  if (!s.pulling) return;
  g.strokeStyle = c.accent;
  g.lineWidth = 2;
  g.setLineDash([5, 4]);
  g.beginPath();
  g.moveTo(s.pulling.x1, s.pulling.y1);
  g.lineTo(s.pulling.x2, s.pulling.y2);
  g.stroke();
  g.setLineDash([]);
  g.lineWidth = 1;
}

/** Bars outside the window show where they are. */
function drawArrows(g: CanvasRenderingContext2D, s: Scene, c: Colors, first: number, last: number) {
  g.fillStyle = c.muted;
  g.textAlign = "left";
  for (let i = first; i <= last; i++) {
    const box = barBox(s.scale, s.rows[i]!.row);
    const y = HEAD - s.top + middle(i);
    if (!box || y < HEAD + 6) continue;
    if (box.x + box.width < s.left) g.fillText("◂", 3, y);
    else if (box.x > s.left + s.width) g.fillText("▸", s.width - 12, y);
  }
}

function drawHeader(g: CanvasRenderingContext2D, s: Scene, c: Colors, from: number, to: number) {
  g.fillStyle = c.sunken;
  g.fillRect(0, 0, s.width, HEAD);
  const rows = header(s.scale, from, to, s.lang);
  g.strokeStyle = c.line;
  g.beginPath();
  rows.forEach((cells, n) => {
    for (const cell of cells) {
      const x = Math.round(cell.x - s.left) + 0.5;
      g.moveTo(x, n * 24);
      g.lineTo(x, n * 24 + 24);
      g.fillStyle = n === 0 ? c.text : c.muted;
      const wide = n === 0 || cell.width > 40;
      g.textAlign = wide ? "left" : "center";
      const room = x + cell.width - g.measureText(cell.text).width - 5;
      const at = wide ? Math.max(x + 5, Math.min(5, room)) : x + cell.width / 2;
      g.fillText(cell.text, at, n * 24 + 12.5);
    }
  });
  g.moveTo(0, 24.5);
  g.lineTo(s.width, 24.5);
  g.moveTo(0, HEAD - 0.5);
  g.lineTo(s.width, HEAD - 0.5);
  g.stroke();
  const x = s.scale.x(s.today) - s.left + s.scale.px / 2;
  g.fillStyle = c.today;
  g.beginPath();
  g.moveTo(x - 5, HEAD - 7);
  g.lineTo(x + 5, HEAD - 7);
  g.lineTo(x, HEAD);
  g.fill();
}
