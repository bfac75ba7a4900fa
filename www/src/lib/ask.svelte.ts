// SPDX-License-Identifier: Apache-2.0
// What only the person can decide: what others have changed meanwhile would be
// overwritten, or what he typed has no place any more.  One question a time;
// whoever asked waits.
import { get } from "./api";
import type { Change } from "./model";
import { app } from "./state.svelte";

/** One value at stake, in words. */
export interface Stake {
  name: string;
  field: string;
  mine: string;
  theirs: string;
  by: string;
  at: string | null;
}
export interface Choice {
  id: string;
  label: string;
  kind?: "primary" | "danger";
}
export interface Question {
  title: string;
  text: string;
  stakes: Stake[];
  /** Offered back, to be copied. */
  typed?: string;
  /** The one that overwrites nothing is primary: the same everywhere. */
  choices: Choice[];
  /** When the dialog is closed without a choice. */
  otherwise: string;
}

export const asked = $state({ now: null as Question | null });
const waiting: { question: Question; answer: (choice: string) => void }[] = [];

export function ask(question: Question): Promise<string> {
  return new Promise((answer) => {
    waiting.push({ question, answer });
    asked.now ??= question;
  });
}
export function answerAsked(choice: string) {
  waiting.shift()?.answer(choice);
  asked.now = waiting[0]?.question ?? null;
}

export interface Who {
  by: string;
  at: string | null;
}
/** Who else changed this field of a ticket last. */
export async function whoChanged(ticket: string, field: string): Promise<Who> {
  const nobody = { by: "", at: null };
  try {
    const { items } = await get<{ items: Change[] }>(`/tickets/${ticket}/history?limit=100`);
    const others = items.filter((x) => x.user?.id !== app.session?.user.id);
    const named = field === "assignee" ? "assignees" : field;
    const found = others.find((x) => x.field === named) ?? others[0];
    return found ? { by: found.user?.name ?? "", at: found.at } : nobody;
  } catch {
    return nobody;
  }
}
