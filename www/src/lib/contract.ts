// SPDX-License-Identifier: Apache-2.0
// A tenant's contract, its end, and the certificates of deletions.
import { parseDay, todayJst } from "./format";

export interface ContractEnd {
  end_on: string;
  delete_on: string;
  asked_for_by: "customer" | "operator";
  asked_by: string;
  asked_at: string;
  operator_by: string | null;
  operator_at: string | null;
  customer_by: string | null;
  customer_at: string | null;
  is_confirmed: boolean;
  alone_from: string;
}
export interface Contract {
  name: string;
  number: string;
  starts_on: string | null;
  ends_on: string | null;
  place: string;
  version: number;
  suspended?: { at: string; by: string; reason: string } | null;
  end: ContractEnd | null;
}
export interface Deletion {
  tenant: string;
  name: string;
  step: "logs" | "list" | "keys" | "files" | "prove" | "certify" | "derived";
  started_at: string;
  error: string | null;
  backups_on: string | null;
  backups_at: string | null;
  logs_on: string | null;
}
export interface CertificateRow {
  id: string;
  tenant: string;
  name: string;
  revision: number;
  at: string;
}
export interface CertificatePaper {
  revision: number;
  issued_at: string;
  tenant: { id: string; name: string };
  contract: { number: string; end_on: string; delete_on: string; asked_for_by: "customer" | "operator"; confirmed_by_operator: string | null; confirmed_by_operator_at: string | null; confirmed_by_customer: string | null; confirmed_by_customer_at: string | null; restored_copy_of: string | null };
  started_at: string;
  completed_at: string;
  key: { id: string | null; cipher: string | null; destroyed_at: string; note: string | null };
  files: { path: string; kind: "key" | "file" | "backup" | "log"; bytes: number; sha256: string; discarded: boolean; erased_at: string }[];
  proof: { looked_at: string; files_left: number; folders_left: number; open_handles: number; file_system: string; is_copy_on_write: boolean } | null;
  derived: { what: "backups" | "logs"; due_on: string | null; gone_at: string | null; note?: string | null }[];
  method: { ja: string; en: string };
  // of certificates issued since keys are wrapped anew
  master_key?: { state: "pending" | "renewed"; renewed_at: string | null };
  media?: { ja: string; en: string };
  remains?: { ja: string; en: string };
  verification?: { ja: string; en: string };
  public_key: string;
  signature: string;
}
/** Days from today to that day in Japan; below 0 it is past. */
export const daysUntil = (day: string) => parseDay(day)! - parseDay(todayJst())!;
