// SPDX-License-Identifier: Apache-2.0
// The mouse and the finger on the chart: hover, drag a bar or its ends, set
// progress, pull a link.
import { isoDay, shortDay } from "../lib/format";
import { i18n, t } from "../lib/i18n.svelte";
import { pathOf, type Ghost } from "./draw";
import { HEAD, ROW, barBox, distance, partAt, type Part } from "./layout";
import type { Kind, Row } from "./model";
import type { View } from "./view.svelte";

interface Drag {
  part: Part;
  row: Row;
  x: number; // in the chart
  y: number;
  moved: boolean;
  target: string | null;
  atStart: boolean;
}

export class Pointer {
  hoverRow = $state<string | null>(null);
  hoverLink = $state<string | null>(null);
  cursor = $state("default");
  ghost = $state.raw<Ghost | null>(null);
  pulling = $state.raw<{ x1: number; y1: number; x2: number; y2: number } | null>(null);
  private drag: Drag | null = null;
  private readonly getView: () => View;

  constructor(getView: () => View) {
    this.getView = getView;
    addEventListener("keydown", (e) => {
      if (e.key === "Escape" && this.drag) this.cancel();
    });
  }

  private place(e: MouseEvent, canvas: HTMLCanvasElement) {
    const view = this.getView();
    const box = canvas.getBoundingClientRect();
    return { x: e.clientX - box.left + view.left, y: e.clientY - box.top - HEAD + view.top, head: e.clientY - box.top < HEAD };
  }

  rowUnder(e: MouseEvent, canvas: HTMLCanvasElement): string | null {
    const { y, head } = this.place(e, canvas);
    return head ? null : (this.getView().rows[Math.floor(y / ROW)]?.row.id ?? null);
  }

  private hit(e: MouseEvent, canvas: HTMLCanvasElement): { row: Row; part: Part | null; x: number; y: number } | null {
    const view = this.getView();
    const { x, y, head } = this.place(e, canvas);
    const v = head ? undefined : view.rows[Math.floor(y / ROW)];
    if (!v) return null;
    const box = barBox(view.scale, v.row);
    return { row: v.row, part: box ? partAt(box, v.row, x, v.parent) : null, x, y };
  }

  private linkUnder(x: number, y: number): string | null {
    const view = this.getView();
    for (const link of view.editor.plan.links.values()) {
      const a = view.index.get(link.from);
      const b = view.index.get(link.to);
      if (a === undefined || b === undefined) continue;
      if (y < Math.min(a, b) * ROW || y > (Math.max(a, b) + 1) * ROW) continue;
      const path = pathOf(view, link.kind, a, b);
      if (path && distance(path, x, y) < 5) return link.id;
    }
    return null;
  }

  down(e: PointerEvent, canvas: HTMLCanvasElement) {
    const view = this.getView();
    const hit = this.hit(e, canvas);
    if (!hit || e.button) return;
    view.select(hit.row.id, e.shiftKey);
    if (!hit.part || !view.editor.canEdit || e.pointerType === "touch") return;
    if (view.editor.plan.isParent(hit.row.id) && view.editor.info.auto_parent && !hit.part.startsWith("link")) return;
    const atStart = hit.part === "link_start";
    this.drag = { part: hit.part, row: hit.row, x: hit.x, y: hit.y, moved: false, target: null, atStart };
    canvas.setPointerCapture(e.pointerId);
  }

  move(e: PointerEvent, canvas: HTMLCanvasElement) {
    if (this.drag) return this.dragged(e, canvas);
    const hit = this.hit(e, canvas);
    this.hoverRow = hit?.part ? hit.row.id : null;
    this.hoverLink = hit && !hit.part ? this.linkUnder(hit.x, hit.y) : null;
    const part = hit?.part;
    this.cursor = !part
      ? this.hoverLink ? "pointer" : "default"
      : part === "start" || part === "end" ? "ew-resize"
      : part === "progress" ? "col-resize"
      : part === "body" ? "grab" : "crosshair";
  }

  private dragged(e: PointerEvent, canvas: HTMLCanvasElement) {
    const d = this.drag!;
    const view = this.getView();
    const { x, y } = this.place(e, canvas);
    if (!d.moved && Math.hypot(x - d.x, y - d.y) < 4) return;
    d.moved = true;
    if (d.part === "link_start" || d.part === "link_end") return this.pulled(d, x, y);
    this.ghost = this.ghostOf(d, x, view);
  }

  private ghostOf(d: Drag, x: number, view: View): Ghost {
    const days = view.editor.days;
    const by = Math.round((x - d.x) / view.scale.px);
    let { start, end, progress } = { start: d.row.start!, end: d.row.end!, progress: d.row.progress };
    if (d.part === "body") {
      const n = days.count(start, end);
      start = days.next(start + by);
      end = d.row.classification === "milestone" ? start : days.end(start, n);
    } else if (d.part === "start") {
      start = Math.min(days.next(start + by), end);
    } else if (d.part === "end") {
      end = Math.max(days.previous(end + by), start);
    } else {
      const box = barBox(view.scale, d.row)!;
      progress = Math.max(0, Math.min(100, Math.round(((x - box.x) / box.width) * 20) * 5));
    }
    const year = isoDay(view.editor.today).slice(0, 4);
    const show = (day: number) => shortDay(isoDay(day), i18n.lang, year);
    const label = d.part === "progress" ? `${progress}%` : `${show(start)} – ${show(end)}  ${t("working_days", { n: days.count(start, end) })}`;
    return { id: d.row.id, start, end, progress, label };
  }

  private pulled(d: Drag, x: number, y: number) {
    const view = this.getView();
    const box = barBox(view.scale, d.row)!;
    const i = view.index.get(d.row.id)!;
    this.pulling = { x1: d.atStart ? box.x : box.x + box.width, y1: i * ROW + ROW / 2, x2: x, y2: y };
    const over = view.rows[Math.floor(y / ROW)]?.row;
    d.target = over && over.id !== d.row.id ? over.id : null;
    this.hoverRow = d.target ?? d.row.id;
  }

  up(e: PointerEvent, canvas: HTMLCanvasElement, onlink: (id: string) => void) {
    const d = this.drag;
    const view = this.getView();
    const ghost = this.ghost;
    this.cancel();
    if (!d) {
      const { x, y } = this.place(e, canvas);
      const id = this.linkUnder(x, y);
      if (id && this.hoverLink === id) onlink(id);
      return;
    }
    if (!d.moved) return;
    if (d.target) {
      const target = view.editor.plan.rows.get(d.target)!;
      const box = barBox(view.scale, target);
      const { x } = this.place(e, canvas);
      const intoEnd = box ? x > box.x + box.width * 0.7 && box.width > 20 : false;
      const kind = `${d.atStart ? "S" : "F"}${intoEnd ? "F" : "S"}` as Kind;
      void view.editor.link(d.row.id, d.target, kind);
    } else if (ghost && d.part === "progress") {
      if (ghost.progress !== d.row.progress) void view.editor.set(d.row, { progress: ghost.progress });
    } else if (ghost && (ghost.start !== d.row.start || ghost.end !== d.row.end)) {
      void view.editor.setDays(d.row, ghost.start, ghost.end);
    }
  }

  leave() {
    if (!this.drag) this.hoverRow = this.hoverLink = null;
  }
  private cancel() {
    this.drag = null;
    this.ghost = null;
    this.pulling = null;
  }
}
