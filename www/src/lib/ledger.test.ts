// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { formOf, ledgers, valuesOf, type LedgerRow } from "./ledger.ts";

const of = (name: string) => ledgers.find((l) => l.name === name)!;
const row = (fields: object) => ({ id: "1", version: 1, ...fields }) as LedgerRow;

test("a day that has passed is told by the state", () => {
  const state = (name: string, fields: object) => of(name).state(row(fields), "2026-11-25").text;
  assert.equal(state("suppliers", { review_on: "2026-11-24" }), "reg_overdue");
  assert.equal(state("suppliers", { review_on: "2026-11-25" }), "reg_fine");
  assert.equal(state("certifications", { expires_on: "2026-11-24" }), "reg_expired");
  assert.equal(state("certifications", { expires_on: "2026-12-25" }), "reg_expiring");
  assert.equal(state("certifications", { expires_on: "2026-12-26" }), "reg_valid");
  assert.equal(state("reviews", { done_on: null, due_on: "2026-11-24" }), "reg_overdue");
  assert.equal(state("reviews", { done_on: "2026-11-24", result: "found" }), "result_found");
  assert.equal(state("advisories", { state: "open", found_on: "2026-11-18" }), "advisory_open");
  assert.equal(state("advisories", { state: "open", found_on: "2026-11-17" }), "reg_overdue");
});
test("a form is sent whole, what is empty as null", () => {
  const form = formOf(of("reviews"), null, "2026-11-25");
  assert.deepEqual(valuesOf(of("reviews"), { ...form, subject: "x" }), { subject: "x", kind: "access", every_months: 3, due_on: "2026-11-25", done_on: null, result: null, note: null });
  const signed = formOf(of("reviews"), row({ subject: "y", kind: "other", every_months: 0, due_on: "2026-01-01", done_on: "2026-01-02", result: "good", note: "" }), "2026-11-25");
  assert.equal(signed.every_months, 0);
});
