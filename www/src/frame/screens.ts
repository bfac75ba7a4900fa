// SPDX-License-Identifier: Apache-2.0
// The screens of administration, each with the area that opens it.
import { may } from "../lib/access";
import type { Key } from "../lib/i18n.svelte";
import { app } from "../lib/state.svelte";
import type { IconName } from "../ui/Icon.svelte";

const all: [Key, string, IconName, string][] = [
  ["users", "/users", "people", "admin_users"],
  ["access", "/access", "key", "admin_access"],
  ["master", "/master", "flag", "admin_master"],
  ["tenant_settings", "/tenant", "building", "master"],
  ["security", "/security", "shield", "admin_security"],
  ["data_export", "/export", "download", "master"],
  ["support_access", "/support", "help", "master"],
  ["contract_and_end", "/ending", "flag", "master"],
  ["operation_log", "/log", "log", "admin_log"],
  ["trust", "/trust", "shield", "master"],
  ["policies", "/policies", "log", "master"],
];

/** "master": a master administrator, who may everything. */
export const mayOpen = (area: string) => app.session?.user.is_admin || may(area);
export const adminScreens = () =>
  all.filter(([, , , area]) => mayOpen(area)).map(([key, to, icon]) => [key, to, icon] as [Key, string, IconName]);
