// SPDX-License-Identifier: Apache-2.0
// Where in the product a promise is kept: the screen, by who reads.
import type { Key } from "./i18n.svelte";
import type { TrustPage } from "./model";

type Place = [Key, string];
const tenant: Record<number, Place> = {
  2: ["terms", "/terms"], 6: ["master", "/master"], 7: ["users", "/users"], 8: ["access", "/access"], 9: ["security", "/security"],
  10: ["security", "/security"], 11: ["access", "/access"], 19: ["guide", "/help/start"], 21: ["operation_log", "/log"], 23: ["alerts", "/log?tab=alerts"],
  27: ["guide", "/help/start"], 29: ["support_access", "/support"], 32: ["enquiries", "/enquiries"], 33: ["operation_log", "/log"],
  35: ["enquiries", "/enquiries"], 36: ["access_log", "/log?tab=access_log"],
};
const operator: Record<number, Place> = {
  2: ["terms", "/terms"], 13: ["tenants", "/"], 18: ["capacity", "/capacity"], 19: ["guide", "/help/operate"], 20: ["backups", "/backups"],
  22: ["capacity", "/capacity"], 25: ["tenants", "/"], 27: ["guide", "/help/operate"], 32: ["desk", "/desk"], 33: ["disclosures", "/desk/disclosures"], 35: ["desk", "/desk"],
};
const none: Record<number, Place> = {};

export const placeOf = (no: number, reader: TrustPage["reader"]): Place | undefined =>
  ({ anyone: none, tenant, operator })[reader][no];
