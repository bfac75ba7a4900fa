// SPDX-License-Identifier: Apache-2.0
// Roles, groups, grants: what a permission is called, who can be given one.
import { get, query } from "./api";
import { t, word, type Key } from "./i18n.svelte";
import type { Group, Member } from "./model";
import { searchPeople } from "./people";
import { app } from "./state.svelte";

/** One row a resource, one column a permission. */
export const columns = ["view", "add", "edit", "delete"] as const;
export const resources: { name: Key; rights: (string | null)[] }[] = [
  { name: "program", rights: ["program_view", "program_add", "program_edit", "program_delete"] },
  { name: "project", rights: ["project_view", "project_add", "project_edit", "project_delete"] },
  { name: "ticket", rights: ["ticket_view", "ticket_add", "ticket_edit", "ticket_delete"] },
];
export const others = ["ticket_edit_own", "comment", "member_edit"] as const;
export const areas = ["admin_users", "admin_access", "admin_master", "admin_security", "admin_log"] as const;

/** For buttons and fields that change the administration, `{...fixed()}`: support access reaches none of it but the master data, and
 * that only where it may write.  They stay where they are and say why. */
export function fixed(isMaster = false): { disabled?: true; title?: string } {
  if (!app.session?.is_support || (isMaster && may("project_edit"))) return {};
  return { disabled: true, title: t("support_no_change") };
}
export const may = (right: string) => app.session?.user.rights.includes(right) ?? false;

/** A person or a group, as a grant names one. */
export interface Principal {
  id: string; // "members/1", "groups/2": the end of the grant's address
  name: string;
  detail: string;
}

export async function searchPrincipals(q: string): Promise<Principal[]> {
  const [groups, people] = await Promise.all([get<{ items: Group[] }>(`/groups${query({ q: q.trim(), limit: 10 })}`), searchPeople(q)]);
  return [
    ...groups.items.map((g) => ({ id: `groups/${g.id}`, name: g.name, detail: t("group_of", { n: g.members }) })),
    ...people.map((p) => ({ id: `members/${p.id}`, name: p.name, detail: p.email })),
  ];
}

/** Roles that can be given there; areas of administration are the tenant's. */
export const rolesFor = (of: string) => (of === "/tenant" ? app.roles : app.roles.filter((r) => !r.rights.some((x) => x.startsWith("admin_"))));

/** The end of a member's address. */
export const memberPath = (m: Member) => (m.user ? `members/${m.user.id}` : `groups/${m.group!.id}`);

export function roleName(key: string) {
  const role = app.roles.find((r) => r.key === key);
  return role ? word(role) : key;
}
