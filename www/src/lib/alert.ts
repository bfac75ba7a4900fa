// SPDX-License-Identifier: Apache-2.0
import type { Person } from "./model";

/** A rule by which people are told of what the logs show. */
export interface Alert {
  id: string;
  name: string;
  source: "operation" | "sign_in";
  kind: string | null;
  action: string | null;
  user: Person | null;
  threshold: number;
  is_on: boolean;
  told_at: string | null;
  readers: Person[];
  version: number;
}
export interface LogFilter {
  id: string;
  name: string;
  query: string;
}
/** Rules to begin with. */
export const examples = [
  { key: "alert_example_role", source: "operation", kind: "role", action: "" },
  { key: "alert_example_user", source: "operation", kind: "user", action: "delete" },
  { key: "alert_example_support", source: "operation", kind: "support", action: "" },
  { key: "alert_example_sign_in", source: "sign_in", kind: "", action: "", threshold: 10 },
] as const;
