// SPDX-License-Identifier: Apache-2.0
// Forms that save as they are filled in: each change waits for the one before
// it and so is made on the version that one left, not refused as stale.

/** A line of work: what is given to it begins when all before it has ended. */
export function inTurn() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
