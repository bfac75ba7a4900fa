// SPDX-License-Identifier: Apache-2.0
// The keyboard on the plan.  Nothing happens while kana are being converted
// or while the focus is in an input.
import { isComposing } from "../lib/keys";
import type { View } from "./view.svelte";

export interface Actions {
  add: (place: "below" | "child") => void;
  open: (id: string) => void;
  edit: (id: string) => void;
  link: (id: string) => void;
  reveal: (id: string) => void;
  undo: () => void;
  redo: () => void;
}

export function ganttKeys(e: KeyboardEvent, view: View, actions: Actions) {
  const at = e.target as HTMLElement;
  if (isComposing(e) || /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName) || at.closest("dialog")) return;
  const { editor } = view;
  const i = view.cursor ? (view.index.get(view.cursor) ?? -1) : -1;
  const row = view.rows[i]?.row;
  const command = e.ctrlKey || e.metaKey;
  const go = (to: number) => {
    const next = view.rows[Math.max(0, Math.min(view.rows.length - 1, to))];
    if (!next) return;
    view.select(next.row.id, e.shiftKey && !e.altKey);
    if (e.shiftKey) view.cursor = next.row.id;
    actions.reveal(next.row.id);
  };
  const edits: Record<string, () => void> = {
    "C-z": actions.undo,
    "C-y": actions.redo,
    "C-S-z": actions.redo,
    Insert: () => actions.add("below"),
    "C-Enter": () => actions.add("child"),
    Enter: () => row && actions.edit(row.id),
    F2: () => row && actions.edit(row.id),
    Delete: () => view.selectedRows.length && void editor.remove(view.selectedRows),
    "A-S-ArrowRight": () => void editor.indent(view.selectedRows),
    "A-S-ArrowLeft": () => void editor.outdent(view.selectedRows),
    "A-S-ArrowUp": () => row && void editor.shift(row, -1),
    "A-S-ArrowDown": () => row && void editor.shift(row, 1),
    l: () => row && actions.link(row.id),
  };
  const moves: Record<string, () => void> = {
    ArrowDown: () => go(i + 1),
    ArrowUp: () => go(i - 1),
    "S-ArrowDown": () => go(i + 1),
    "S-ArrowUp": () => go(i - 1),
    PageDown: () => go(i + 20),
    PageUp: () => go(i - 20),
    Home: () => go(0),
    End: () => go(view.rows.length - 1),
    ArrowLeft: () => row && !view.collapsed.has(row.id) && editor.plan.isParent(row.id) && view.toggle(row.id),
    ArrowRight: () => row && view.collapsed.has(row.id) && view.toggle(row.id),
    o: () => row && actions.open(row.id),
  };
  const name = `${command ? "C-" : ""}${e.altKey ? "A-" : ""}${e.shiftKey ? "S-" : ""}${e.key.length === 1 ? e.key.toLowerCase() : e.key}`;
  if (at.tagName === "BUTTON" && (name === "Enter" || name === "ArrowDown" || name === "ArrowUp")) return;
  const run = moves[name] ?? (editor.canEdit ? edits[name] : undefined);
  if (!run) return;
  e.preventDefault();
  run();
}
