// SPDX-License-Identifier: Apache-2.0
// Enquiries: shapes of replies, and files that go up or come down.
import { getBlob, post } from "./api";
import type { Key } from "./i18n.svelte";

export const categories = ["support", "event", "property", "disclosure", "audit", "access_log"] as const;
export type EnquiryCategory = (typeof categories)[number];
export const states = ["open", "answered", "closed"] as const;
export type EnquiryState = (typeof states)[number];
export const stateColor: Record<EnquiryState, string> = { open: "amber", answered: "green", closed: "gray" };
export const FILE_BYTES = 10 * 1024 * 1024;

export interface EnquiryFile {
  id: string;
  name: string;
  size: number;
  sha256: string;
}
export interface EnquiryMessage {
  id: string;
  at: string;
  is_desk: boolean;
  author: string;
  sender: string | null;
  sent_at: string | null;
  body: string;
  files: EnquiryFile[];
}
export interface Enquiry {
  id: string;
  category: EnquiryCategory;
  subject: string;
  state: EnquiryState;
  user: string;
  opened_at: string;
  updated_at: string;
  due_at: string | null;
  answered_at: string | null;
  closed_at: string | null;
  from: string | null;
  to: string | null;
  format: "ndjson" | "csv";
  decision: "none" | "released" | "refused";
  version: number;
}
export interface EnquiryView extends Enquiry {
  messages: EnquiryMessage[];
}
export interface DeskRow {
  id: string;
  tenant: string;
  tenant_name: string;
  enquiry: string;
  category: EnquiryCategory;
  state: EnquiryState;
  opened_at: string;
  updated_at: string;
  due_at: string | null;
  answered_at: string | null;
  is_overdue: boolean;
}
export interface DeskSummary {
  open: number;
  answered: number;
  closed: number;
  overdue: number;
  answers: number;
  answer_minutes: number;
}

export const categoryKey = (c: EnquiryCategory): Key => `enquiry_${c}`;
export const stateKey = (s: EnquiryState): Key => `enquiry_state_${s}`;

/** Onto the newest message, which is one's own: just written. */
export async function upload(path: string, view: EnquiryView, files: File[]) {
  const message = view.messages.at(-1)!.id;
  for (const file of files) await post(`${path}/files?message=${message}&name=${encodeURIComponent(file.name)}`, file);
}
export const download = (path: string, file: EnquiryFile) => getBlob(`${path}/files/${file.id}`);

/** 95 -> "1:35" */
export const span = (minutes: number) => `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
