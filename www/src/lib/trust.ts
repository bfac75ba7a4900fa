// SPDX-License-Identifier: Apache-2.0
// Where in the product a promise is kept: the screen, by who reads.
import type { Key } from "./i18n.svelte";
import type { TrustPage } from "./model";

type Place = [Key, string];
const tenant: Record<number, Place> = {
  1: ["policies", "/policies"], 2: ["terms", "/terms"], 3: ["policies", "/policies"], 4: ["policies", "/policies"], 5: ["contract_and_end", "/ending"],
  6: ["master", "/master"], 7: ["users", "/users"], 8: ["access", "/access"], 9: ["security", "/security"], 10: ["security", "/security"],
  11: ["access", "/access"], 16: ["contract_and_end", "/ending"], 17: ["service_notices", "/notices"], 19: ["guide", "/help/start"],
  21: ["operation_log", "/log"], 23: ["alerts", "/log?tab=alerts"], 26: ["policies", "/policies"], 27: ["guide", "/help/start"],
  29: ["support_access", "/support"], 31: ["service_notices", "/notices"], 32: ["enquiries", "/enquiries"], 33: ["operation_log", "/log"],
  34: ["policies", "/policies"], 35: ["enquiries", "/enquiries"], 36: ["access_log", "/log?tab=access_log"], 38: ["enquiries", "/enquiries"],
};
const operator: Record<number, Place> = {
  1: ["policies", "/documents"], 2: ["terms", "/terms"], 3: ["policies", "/documents"], 4: ["policies", "/documents"], 5: ["certificates", "/certificates"],
  13: ["tenants", "/"], 14: ["doctor", "/doctor"], 15: ["doctor", "/doctor"], 16: ["certificates", "/certificates"], 17: ["service_notices", "/notices"],
  18: ["capacity", "/capacity"], 19: ["guide", "/help/operate"], 20: ["backups", "/backups"], 22: ["capacity", "/capacity"], 24: ["registers", "/registers"],
  25: ["tenants", "/"], 26: ["policies", "/documents"], 27: ["guide", "/help/operate"], 28: ["registers", "/registers"], 30: ["registers", "/registers"],
  31: ["incidents", "/incidents"], 32: ["desk", "/desk"], 33: ["disclosures", "/desk/disclosures"], 34: ["policies", "/documents"], 35: ["desk", "/desk"],
  37: ["doctor", "/doctor"], 38: ["desk", "/desk"],
};
const none: Record<number, Place> = {};

export const placeOf = (no: number, reader: TrustPage["reader"]): Place | undefined =>
  ({ anyone: none, tenant, operator })[reader][no];
