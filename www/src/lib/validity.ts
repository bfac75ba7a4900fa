// SPDX-License-Identifier: Apache-2.0
// What the browser refuses before it is sent is told in the language of the
// screen, not of the browser, and with the name of the field.
import { t } from "./i18n.svelte";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
const isControl = (x: unknown): x is Control =>
  x instanceof HTMLInputElement || x instanceof HTMLSelectElement || x instanceof HTMLTextAreaElement;

/** The text of a label, without that of the control it may hold. */
function textOf(label: Element): string {
  const copy = label.cloneNode(true) as Element;
  for (const inner of copy.querySelectorAll("input, select, textarea, button, small, .muted")) inner.remove();
  return copy.textContent!.replace(/\s+/g, " ").trim();
}
function nameOf(c: Control): string {
  const labelled = c.getAttribute("aria-labelledby")?.split(" ").map((id) => document.getElementById(id));
  const labels = labelled ?? [...(c.labels ?? [])];
  return c.getAttribute("aria-label") || labels.map((l) => (l ? textOf(l) : "")).join(" ") || c.title || c.name;
}

export function messageOf(c: Control): string {
  const v = c.validity;
  const name = nameOf(c);
  const chosen = c instanceof HTMLSelectElement || ["checkbox", "radio", "file"].includes(c.type);
  if (v.valueMissing) return t(chosen ? "invalid_choice" : "invalid_missing", { name });
  if (v.tooShort) return t("invalid_short", { name, n: (c as HTMLInputElement).minLength });
  if (v.tooLong) return t("invalid_long", { name, n: (c as HTMLInputElement).maxLength });
  if (v.rangeUnderflow) return t("invalid_low", { name, n: (c as HTMLInputElement).min });
  if (v.rangeOverflow) return t("invalid_high", { name, n: (c as HTMLInputElement).max });
  if (v.badInput || v.stepMismatch) return t("invalid_number", { name });
  return t(c.type === "email" ? "invalid_email" : "invalid_form", { name });
}

/** Once, for all forms there will ever be. */
export function speakOfValidity() {
  addEventListener("invalid", ({ target: c }) => {
    if (!isControl(c)) return;
    c.setCustomValidity("");
    if (!c.validity.valid) c.setCustomValidity(messageOf(c));
  }, true);
  const forget = (c: unknown) => isControl(c) && c.setCustomValidity("");
  addEventListener("input", (e) => forget(e.target), true);
  addEventListener("change", (e) => forget(e.target), true);
  // what was filled in by no hand is looked at anew; Enter clicks the button too
  addEventListener("click", (e) => {
    const button = (e.target as Element).closest?.<HTMLButtonElement>("button, input[type=submit]");
    if (button?.type === "submit") for (const c of button.form?.elements ?? []) forget(c);
  }, true);
}
