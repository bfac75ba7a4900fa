// SPDX-License-Identifier: Apache-2.0
// Files of a ticket: shape of the reply, going up and coming down.
import { base, del, get, getBlob, upload } from "./api";
import type { Person } from "./model";

export const ATTACHMENT_BYTES = 25 * 1024 * 1024;

export interface Attachment {
  id: string;
  name: string;
  type: string;
  picture: boolean;
  size: number;
  sha256: string;
  user: Person;
  created_at: string;
}
const path = (ticket: string) => `/tickets/${ticket}/files`;
export const listAttachments = async (ticket: string) => (await get<{ items: Attachment[] }>(`${path(ticket)}?limit=200`)).items;
export const addAttachment = (ticket: string, file: File, name: string, told: (bytes: number) => void, signal: AbortSignal) =>
  upload<Attachment>(`${path(ticket)}?name=${encodeURIComponent(name)}`, file, told, signal);
/** Where the browser reads a picture of the ticket. */
export const pictureAddress = (ticket: string) => (id: string) => `${base}/api/v1${path(ticket)}/${id}`;
export const readAttachment = (ticket: string, id: string) => getBlob(`${path(ticket)}/${id}`);
export const removeAttachment = (ticket: string, id: string) => del(`${path(ticket)}/${id}`);
