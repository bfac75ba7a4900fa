// SPDX-License-Identifier: Apache-2.0
// Finding people and tickets as somebody types.
import { get, query } from "./api";
import type { TicketItem } from "./model";

export interface Found {
  id: string;
  name: string;
  email: string; // "" of people whose address one does not see
}

export const searchPeople = async (q: string): Promise<Found[]> =>
  (await get<{ items: (Omit<Found, "email"> & { email: string | null })[] }>(`/users${query({ q: q.trim(), state: "active", limit: 30 })}`)).items.map((p) => ({ ...p, email: p.email ?? "" }));

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
