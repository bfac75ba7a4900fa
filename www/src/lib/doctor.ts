// SPDX-License-Identifier: Apache-2.0
// What doctor found, as shown.
import type { Key } from "./i18n.svelte";

export type DoctorState = "good" | "warning" | "bad";
export interface DoctorFinding {
  name: string;
  state: DoctorState;
  ja: string;
  en: string;
  at: string;
}
export interface DoctorView {
  ran_at: string | null;
  is_asked: boolean;
  key_mark: string;
  key_copy_at: string | null;
  key_copy_by: string | null;
  items: DoctorFinding[];
}
const rank: Record<DoctorState, number> = { bad: 0, warning: 1, good: 2 };
/** What needs a hand first; else in doctor's own order. */
export const sorted = (items: DoctorFinding[]) => [...items].sort((a, b) => rank[a.state] - rank[b.state]);
export const stateColor = (state: DoctorState) => ({ good: "green", warning: "orange", bad: "red" })[state];
export const stateKey = (state: DoctorState) => `doctor_${state}` as Key;
export const findingName = (name: string) => `doctor_${name}_name` as Key;
