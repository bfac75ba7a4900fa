// SPDX-License-Identifier: Apache-2.0
// How full the installation is, and what a tenant may take, as shown.
import type { Key } from "./i18n.svelte";

export interface Measure {
  name: string;
  value: number;
  level: number | null;
  is_on: boolean;
  crossed_at: string | null;
  version: number;
}
export interface Capacity {
  at: string | null;
  measures: Measure[];
  figures: Record<string, number>;
  clock: {
    now: string;
    is_known: boolean;
    is_synchronised: boolean;
    error_ms: number;
    drift_ppm: number;
    steps: number;
    stepped_at: string | null;
    step_seconds: number;
    held_seconds: number;
  };
}
export interface TenantUse {
  id: string;
  name: string;
  bytes: number;
  bytes_limit: number | null;
  users: number;
  users_limit: number | null;
  stopped: number;
}
export interface Quota {
  bytes: number | null;
  users: number | null;
  requests: number | null;
  version: number;
}
export interface Usage {
  bytes: number;
  bytes_limit: number | null;
  users: number;
  users_limit: number | null;
  requests_limit: number | null;
}
const percents = new Set(["cpu", "memory", "disk", "files", "threads", "tenant"]);
export const isPercent = (name: string) => percents.has(name);
export const unit = (name: string) => (percents.has(name) ? "%" : name === "latency" || name === "clock" ? " ms" : "");
export const nameOf = (name: string) => `measure_${name}` as Key;

export function size(bytes: number, lang: "ja" | "en"): string {
  const [n, word] = bytes >= 2 ** 30 ? [bytes / 2 ** 30, "GB"] : [bytes / 2 ** 20, "MB"];
  return `${n.toLocaleString(lang, { maximumFractionDigits: 1 })} ${word}`;
}
/** What is in use and what may be, with the part of it in percent. */
export function part(used: number, limit: number | null, show: (n: number) => string, none: string): string {
  return limit === null ? `${show(used)} (${none})` : `${show(used)} / ${show(limit)} (${Math.round((used / limit) * 100)}%)`;
}
