// SPDX-License-Identifier: Apache-2.0
// What can be taken back, for the page as a whole.  Each step knows its way
// back and forth; a failed one stays where it was.
export interface Step {
  label: string;
  undo(): Promise<unknown>;
  redo(): Promise<unknown>;
}
const LIMIT = 100;

export const undo = $state({ done: [] as Step[], undone: [] as Step[], busy: false });

export function remember(step: Step) {
  undo.done = [...undo.done.slice(1 - LIMIT), step];
  undo.undone = [];
}

async function move(from: "done" | "undone", way: "undo" | "redo"): Promise<string | null> {
  const step = undo[from].at(-1);
  if (!step || undo.busy) return null;
  undo.busy = true;
  try {
    await step[way]();
    undo[from] = undo[from].slice(0, -1);
    const to = from === "done" ? "undone" : "done";
    undo[to] = [...undo[to], step];
    return step.label;
  } finally {
    undo.busy = false;
  }
}
/** The label of what was undone; null: nothing to undo. */
export const undoLast = () => move("done", "undo");
export const redoLast = () => move("undone", "redo");

export function forgetSteps() {
  undo.done = [];
  undo.undone = [];
}
