// SPDX-License-Identifier: Apache-2.0
// What can be taken back: one history for the person, whatever the screen; on a
// project's screens that project's part of it.  A step knows its way back and
// forth; one that fails, or that the person gives up, stays where it was.
export interface Step {
  label: string;
  project: string; // its id
  at: number; // ms, when the person asked for it
  /** false: given up. */
  undo(): Promise<unknown>;
  redo(): Promise<unknown>;
}
const LIMIT = 100;

export const undo = $state({ done: [] as Step[], undone: [] as Step[], busy: false });

export function remember(step: Step) {
  undo.done = [...undo.done.slice(1 - LIMIT), step];
  undo.undone = undo.undone.filter((x) => x.project !== step.project);
}

/** Who has changes on their way: they are what shall be undone next. */
export interface Sender {
  project: string;
  /** When all is sent, or nothing can be for now. */
  settled(): Promise<unknown>;
  /** Takes the newest change made until then (ms) back, if it was never sent:
   * its label; "": later ones build on it; null: there is none. */
  withdraw(until: number): string | null;
  /** How many changes the server does not have. */
  readonly unsent: number;
  /** Nothing more is sent. */
  close(): void;
}
const senders = new Set<Sender>();
export function addSender(sender: Sender): () => void {
  senders.add(sender);
  return () => senders.delete(sender);
}

export const countUnsent = () => [...senders].reduce((sum, s) => sum + s.unsent, 0);
/** The person has signed out. */
export function closeSenders() {
  for (const s of senders) s.close();
}

const isOf = (project: string | undefined) => (x: { project: string }) => project === undefined || x.project === project;
/** Whether there is something, for a project's buttons. */
export const canUndo = (project: string) => undo.done.some(isOf(project));
export const canRedo = (project: string) => undo.undone.some(isOf(project));

async function move(from: "done" | "undone", way: "undo" | "redo", project?: string): Promise<string | null> {
  if (undo.busy) return null;
  undo.busy = true;
  const asked = Date.now(); // what is done while it waits is not meant
  try {
    const concerned = [...senders].filter(isOf(project));
    await Promise.all(concerned.map((s) => s.settled()));
    if (way === "undo")
      for (const s of concerned) {
        const label = s.withdraw(asked);
        if (label !== null) return label;
      }
    const step = undo[from].findLast((x) => isOf(project)(x) && (way === "redo" || x.at <= asked));
    if (!step) return null;
    if ((await step[way]()) === false) return "";
    undo[from] = undo[from].filter((x) => x !== step);
    const to = from === "done" ? "undone" : "done";
    undo[to] = [...undo[to], step];
    return step.label;
  } finally {
    undo.busy = false;
  }
}
/** The label of what was undone; null: nothing to undo; "": given up. */
export const undoLast = (project?: string) => move("done", "undo", project);
export const redoLast = (project?: string) => move("undone", "redo", project);

export function forgetSteps() {
  undo.done = [];
  undo.undone = [];
}
