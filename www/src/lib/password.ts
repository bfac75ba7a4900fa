// SPDX-License-Identifier: Apache-2.0
// What of the password policy is met while one types; the server decides.
import type { Policy } from "./model";

export interface Checks {
  length: boolean;
  classes: boolean;
  characters: boolean;
}

export function checkPassword(text: string, policy: Policy): Checks {
  const letters = [...text];
  const isSymbol = (c: string) => policy.symbols.includes(c);
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((k) => k.test(text)).length + (letters.some(isSymbol) ? 1 : 0);
  return {
    length: letters.length >= policy.min && letters.length <= policy.max,
    classes: kinds >= policy.classes,
    characters: policy.profile !== "whitepaper" || letters.every((c) => /[A-Za-z0-9]/.test(c) || isSymbol(c)),
  };
}
