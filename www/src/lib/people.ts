// SPDX-License-Identifier: Apache-2.0
// Finding people and tickets as somebody types.
import { get, query } from "./api";
import type { TicketItem } from "./model";

export interface Found {
  id: string;
  name: string;
  email: string; // "" of people whose address one does not see
  is_outside?: boolean; // does not see the project that was asked about
}

export const searchPeople = async (q: string): Promise<Found[]> =>
  (await get<{ items: (Omit<Found, "email"> & { email: string | null })[] }>(`/users${query({ q: q.trim(), state: "active", limit: 30 })}`)).items.map((p) => ({ ...p, email: p.email ?? "" }));

const AT_ONCE = 30;
/** Who sees the project's tickets, and with others: then those who do not. */
export async function searchAssignable(project: string, q: string, others: boolean): Promise<Found[]> {
  const found = await get<{ items: (Omit<Found, "email"> & { email: string | null })[]; next: string | null }>(`/projects/${project}/people${query({ q: q.trim(), limit: AT_ONCE })}`);
  const inside = found.items.map((p) => ({ ...p, email: p.email ?? "" }));
  if (!others || found.next) return inside;
  const known = new Set(inside.map((p) => p.id));
  return [...inside, ...(await searchPeople(q)).filter((p) => !known.has(p.id)).map((p) => ({ ...p, is_outside: true }))];
}

/** By words of the subject, or by number: "12", "ERP-12". */
export async function searchTickets(project: { id: string; key: string }, q: string): Promise<TicketItem[]> {
  const no = q.normalize("NFKC").trim().match(/^(?:([A-Za-z][A-Za-z0-9]*)-)?(\d+)$/);
  if (no) {
    const key = `${(no[1] ?? project.key).toUpperCase()}-${no[2]}`;
    const one = await get<TicketItem>(`/tickets/${key}`).catch(() => null);
    if (one) return [one];
  }
  const path = `/projects/${project.id}/tickets${query({ q: q.trim(), limit: 20 })}`;
  return (await get<{ items: TicketItem[] }>(path)).items;
}
