// SPDX-License-Identifier: Apache-2.0
// The operator's registers as data: one screen draws them all.
import type { Key } from "./i18n.svelte";

export type LedgerName = "suppliers" | "certifications" | "reviews" | "advisories";
export interface LedgerRow {
  id: string;
  version: number;
  [field: string]: string | number | boolean | null;
}
export interface LedgerField {
  name: string;
  label: Key;
  kind: "text" | "lines" | "day" | "choice" | "int" | "bool";
  required?: boolean;
  max?: number;
  help?: Key;
  choices?: [string, Key][];
  /** Only of what is there already: judged, signed. */
  later?: boolean;
}
export interface LedgerState {
  text: Key;
  color: string;
}
export interface Ledger {
  name: LedgerName;
  title: Key;
  text: Key;
  none: Key;
  add: Key;
  fields: LedgerField[];
  /** Fields shown in the list besides the first, with widths. */
  columns: [string, number, number?][];
  state: (row: LedgerRow, today: string) => LedgerState;
  /** What stays as it is. */
  closed: (row: LedgerRow) => boolean;
  removable: (row: LedgerRow) => boolean;
}

const ADVISORY_DAYS = 7;
const addDays = (day: string, n: number) => new Date(Date.parse(day) + n * 86_400_000).toISOString().slice(0, 10);
const before = (row: LedgerRow, field: string, day: string) => String(row[field]) < day;

export const ledgers: Ledger[] = [
  {
    name: "suppliers", title: "suppliers", text: "suppliers_text", none: "suppliers_none", add: "suppliers_add",
    fields: [
      { name: "name", label: "reg_name", kind: "text", required: true, max: 200 },
      { name: "purpose", label: "reg_purpose", kind: "choice", required: true, choices: [["hosting", "purpose_hosting"], ["mail", "purpose_mail"], ["backup", "purpose_backup"], ["other", "purpose_other"]] },
      { name: "region", label: "reg_region", kind: "text", required: true, max: 40, help: "reg_region_help" },
      { name: "certificate", label: "reg_certificate", kind: "text", max: 300 },
      { name: "risk", label: "reg_risk", kind: "choice", required: true, choices: [["low", "risk_low"], ["medium", "risk_medium"], ["high", "risk_high"]] },
      { name: "reviewed_on", label: "reg_reviewed_on", kind: "day", required: true },
      { name: "review_on", label: "reg_review_on", kind: "day", required: true },
      { name: "note", label: "reg_note", kind: "lines", max: 2000 },
    ],
    columns: [["purpose", 150], ["region", 110, 700], ["risk", 80, 900], ["review_on", 150]],
    state: (r, today) => (before(r, "review_on", today) ? { text: "reg_overdue", color: "red" } : { text: "reg_fine", color: "green" }),
    closed: () => false,
    removable: () => true,
  },
  {
    name: "certifications", title: "certifications", text: "certifications_text", none: "certifications_none", add: "certifications_add",
    fields: [
      { name: "name", label: "reg_name", kind: "text", required: true, max: 200 },
      { name: "number", label: "reg_number", kind: "text", required: true, max: 100 },
      { name: "issuer", label: "reg_issuer", kind: "text", max: 200 },
      { name: "expires_on", label: "reg_expires_on", kind: "day", required: true },
    ],
    columns: [["number", 170], ["issuer", 200, 800], ["expires_on", 150]],
    state: (r, today) => (before(r, "expires_on", today) ? { text: "reg_expired", color: "red" } : before(r, "expires_on", addDays(today, 31)) ? { text: "reg_expiring", color: "amber" } : { text: "reg_valid", color: "green" }),
    closed: () => false,
    removable: () => true,
  },
  {
    name: "reviews", title: "reviews", text: "reviews_text", none: "reviews_none", add: "reviews_add",
    fields: [
      { name: "subject", label: "reg_subject", kind: "text", required: true, max: 200 },
      { name: "kind", label: "reg_kind", kind: "choice", required: true, choices: [["access", "review_access"], ["hardening", "review_hardening"], ["other", "review_other"]] },
      { name: "every_months", label: "reg_every_months", kind: "int", required: true, max: 36, help: "reg_every_help" },
      { name: "due_on", label: "reg_due_on", kind: "day", required: true },
      { name: "done_on", label: "reg_done_on", kind: "day", help: "reg_done_help", later: true },
      { name: "result", label: "reg_result", kind: "choice", choices: [["good", "result_good"], ["found", "result_found"]], later: true },
      { name: "note", label: "reg_findings", kind: "lines", max: 4000, later: true },
    ],
    columns: [["kind", 110, 700], ["due_on", 150], ["done_on", 150, 900], ["signer", 130, 800]],
    state: (r, today) => (r.done_on ? (r.result === "good" ? { text: "result_good", color: "green" } : { text: "result_found", color: "amber" }) : before(r, "due_on", today) ? { text: "reg_overdue", color: "red" } : { text: "reg_planned", color: "gray" }),
    closed: (r) => r.done_on !== null,
    removable: (r) => r.done_on === null,
  },
  {
    name: "advisories", title: "advisories", text: "advisories_text", none: "advisories_none", add: "advisories_add",
    fields: [
      { name: "advisory", label: "reg_advisory", kind: "text", required: true, max: 100 },
      { name: "component", label: "reg_component", kind: "text", required: true, max: 100 },
      { name: "link", label: "reg_link", kind: "text", max: 500 },
      { name: "summary", label: "reg_summary", kind: "lines", required: true, max: 4000 },
      { name: "found_on", label: "reg_found_on", kind: "day", required: true },
      { name: "impact", label: "reg_impact", kind: "choice", choices: [["none", "impact_none"], ["low", "risk_low"], ["medium", "risk_medium"], ["high", "risk_high"]], later: true },
      { name: "judgement", label: "reg_judgement", kind: "lines", max: 4000, later: true },
      { name: "notice", label: "reg_notice", kind: "text", max: 300, help: "reg_notice_help", later: true },
      { name: "is_closed", label: "reg_closed", kind: "bool", later: true },
    ],
    columns: [["component", 130], ["found_on", 150, 700], ["impact", 90, 800], ["judged_by", 130, 900]],
    state: (r, today) => (r.state === "closed" ? { text: "advisory_closed", color: "green" } : r.state === "judged" ? { text: "advisory_judged", color: "blue" } : before(r, "found_on", addDays(today, -ADVISORY_DAYS)) ? { text: "reg_overdue", color: "red" } : { text: "advisory_open", color: "amber" }),
    closed: () => false,
    removable: (r) => r.state === "open",
  },
];

/** The form of a row, or of a new one. */
export function formOf(ledger: Ledger, row: LedgerRow | null, today: string): Record<string, any> {
  const form: Record<string, any> = {};
  for (const f of ledger.fields) {
    const value = row?.[f.name];
    if (f.kind === "bool") form[f.name] = value === true;
    else if (value !== undefined && value !== null) form[f.name] = value;
    else if (f.kind === "day") form[f.name] = f.required ? (/^(review|expires)_on$/.test(f.name) ? addDays(today, 365) : today) : null;
    else if (f.kind === "choice") form[f.name] = f.required ? f.choices![0]![0] : "";
    else form[f.name] = f.kind === "int" ? 3 : "";
  }
  return form;
}
/** As the server takes it: what is empty is null. */
export function valuesOf(ledger: Ledger, form: Record<string, any>): Record<string, unknown> {
  return Object.fromEntries(ledger.fields.map((f) => [f.name, form[f.name] === "" ? null : f.kind === "int" ? Number(form[f.name]) : form[f.name]]));
}
