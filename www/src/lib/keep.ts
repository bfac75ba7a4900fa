// SPDX-License-Identifier: Apache-2.0
// What a person has typed and the server does not have yet, kept in the browser
// until it does: it outlives the page.  Each person's apart, and gone when he
// signs out.  A browser that keeps nothing (private mode, full) is no error.
import { base } from "./api";

let owner = "";
/** Of whom the things below are; "" before anybody has signed in. */
export function keepFor(user: string) {
  owner = user;
}
const prefix = () => `${base}:${owner}:`;

export function keep(name: string, value: unknown) {
  if (!owner) return;
  try {
    if (value === null) localStorage.removeItem(prefix() + name);
    else localStorage.setItem(prefix() + name, JSON.stringify(value));
  } catch {
    // it lives as long as the page
  }
}

/** What is kept under names that begin so: the rest of the name, the value. */
export function kept<T>(begin: string): [string, T][] {
  const found: [string, T][] = [];
  if (!owner) return found;
  try {
    const whole = prefix() + begin;
    for (const name of Object.keys(localStorage)) if (name.startsWith(whole)) found.push([name.slice(whole.length), JSON.parse(localStorage.getItem(name)!)]);
  } catch {
    // nothing is kept
  }
  return found;
}

export const keptOne = <T>(name: string): T | undefined => kept<T>(name).find(([rest]) => rest === "")?.[1];

export function forgetKept() {
  try {
    for (const name of Object.keys(localStorage)) if (owner && name.startsWith(prefix())) localStorage.removeItem(name);
  } catch {
    // nothing was kept
  }
  owner = "";
}

/** Texts that are still written: they outlive the panel and the page. */
export const drafts = {
  get: (name: string) => keptOne<string>(`draft:${name}`),
  set: (name: string, text: string) => keep(`draft:${name}`, text),
  delete: (name: string) => keep(`draft:${name}`, null),
};
