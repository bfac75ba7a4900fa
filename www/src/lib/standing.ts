// SPDX-License-Identifier: Apache-2.0
// How a tenant stands, as the operator reads it.
import { formatDay } from "./format";
import { i18n, t } from "./i18n.svelte";
import type { Customer, Standing } from "./model";

export const standings: Standing[] = ["open", "suspended", "ending", "ended", "deleted", "making"];
export const standingColor: Record<Standing, "amber" | "green" | "red" | "gray"> = {
  making: "amber", open: "green", suspended: "red", ending: "amber", ended: "red", deleted: "gray",
};
/** With the days of its end: "終了予定 2026/12/31 (木)"; a suspension is named beside it. */
export function standingText(c: Customer): string {
  const words = [t(`tenant_${c.standing}`)];
  if (c.end_on && (c.standing === "ending" || c.standing === "ended")) words.push(formatDay(c.end_on, i18n.lang));
  if (c.is_suspended && c.standing !== "suspended" && c.standing !== "deleted") words.push(`(${t("tenant_suspended")})`);
  return words.join(" ");
}
