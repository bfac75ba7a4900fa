// SPDX-License-Identifier: Apache-2.0
// The language a person chose, until the server has it: a page left at once,
// or read again before the answer, keeps the choice.
import { base, patchLeaving } from "./api";
import type { Lang } from "./model";

const KEY = `${base}:language`;

/** Chosen in this tab and not yet known to be stored. */
export const unsavedLanguage = () => sessionStorage.getItem(KEY) as Lang | null;
export const forgetLanguage = () => sessionStorage.removeItem(KEY);

export function saveLanguage(lang: Lang): Promise<unknown> {
  sessionStorage.setItem(KEY, lang);
  // a later choice is still on its way: its own answer ends it
  const settled = () => unsavedLanguage() === lang && forgetLanguage();
  return patchLeaving("/me", { lang }).finally(settled);
}
