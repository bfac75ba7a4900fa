// SPDX-License-Identifier: Apache-2.0
// A sensitive step waits here until the person has given the password again.
import { whenFreshNeeded } from "./api";

export const fresh = $state({ asked: false });
let answers: ((ok: boolean) => void)[] = [];

whenFreshNeeded(() => {
  fresh.asked = true;
  return new Promise((resolve) => answers.push(resolve));
});

/** Every call that waits goes on, or is refused. */
export function answerFresh(ok: boolean) {
  const waiting = answers;
  answers = [];
  fresh.asked = false;
  for (const answer of waiting) answer(ok);
}
