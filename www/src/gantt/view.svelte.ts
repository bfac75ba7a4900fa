// SPDX-License-Identifier: Apache-2.0
// What is on the screen: scroll, size, zoom, selection.  One object, so that
// table, chart and toolbar agree.
import type { Scene } from "./draw";
import type { Editor } from "./edit.svelte";
import { HEAD, ROW, Scale, type Zoom } from "./layout";
import type { Visible } from "./model";
import type { Pointer } from "./pointer.svelte";

export class View {
  readonly editor: Editor;
  doneStatus: ReadonlySet<string> = new Set();
  left = $state(0);
  top = $state(0);
  width = $state(1000); // of the scroller
  height = $state(600);
  tableWidth = $state(560);
  zoom = $state<Zoom>("day");
  filter = $state("");
  labels = $state(""); // as lib/marks has it
  collapsed = $state.raw<ReadonlySet<string>>(new Set());
  selected = $state.raw<ReadonlySet<string>>(new Set());
  cursor = $state<string | null>(null);
  showLine = $state(false);
  showLabels = $state(false);

  rows: Visible[] = $derived.by(() => {
    void this.editor.stamp;
    return this.editor.plan.visible(this.collapsed, this.filter, this.labels);
  });
  index = $derived(new Map(this.rows.map((v, i) => [v.row.id, i])));
  scale = $derived.by(() => {
    void this.editor.stamp;
    return new Scale(this.zoom, ...this.editor.plan.span(this.editor.today));
  });
  chartWidth = $derived(Math.max(80, this.width - this.tableWidth));
  contentHeight = $derived(HEAD + this.rows.length * ROW + 120);
  first = $derived(Math.max(0, Math.floor(this.top / ROW) - 4));
  last = $derived(Math.min(this.rows.length, Math.ceil((this.top + this.height) / ROW) + 4));

  constructor(editor: Editor) {
    this.editor = editor;
  }

  scene(pointer: Pointer, lang: "ja" | "en"): Scene {
    void this.editor.stamp;
    return {
      plan: this.editor.plan,
      rows: this.rows,
      index: this.index,
      scale: this.scale,
      days: this.editor.days,
      today: this.editor.today,
      lang,
      width: this.chartWidth,
      height: this.height,
      left: this.left,
      top: this.top,
      selected: this.selected,
      hoverRow: pointer.hoverRow,
      hoverLink: pointer.hoverLink,
      conflicts: this.editor.conflicts,
      ghost: pointer.ghost,
      pulling: pointer.pulling,
      doneStatus: this.doneStatus,
      statusLine: this.showLine ? this.editor.today : null,
    };
  }

  toggle(id: string) {
    const next = new Set(this.collapsed);
    if (!next.delete(id)) next.add(id);
    this.collapsed = next;
  }
  collapseAll(yes: boolean) {
    this.collapsed = yes ? new Set(this.editor.plan.rows.keys()) : new Set();
  }
  select(id: string, extend = false) {
    if (extend && this.cursor) {
      const a = this.index.get(this.cursor) ?? 0;
      const b = this.index.get(id) ?? 0;
      this.selected = new Set(this.rows.slice(Math.min(a, b), Math.max(a, b) + 1).map((v) => v.row.id));
      return;
    }
    this.cursor = id;
    this.selected = new Set([id]);
  }
  /** Rows that were only here have got their ids. */
  rename(ids: ReadonlyMap<string, string>) {
    const name = (id: string) => ids.get(id) ?? id;
    const all = (set: ReadonlySet<string>) => new Set([...set].map(name));
    if (this.cursor) this.cursor = name(this.cursor);
    this.selected = all(this.selected);
    this.collapsed = all(this.collapsed);
  }
  get selectedRows() {
    return this.rows.filter((v) => this.selected.has(v.row.id)).map((v) => v.row);
  }
}
