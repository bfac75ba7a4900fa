// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPassword } from "./password.ts";

const policy = { profile: "whitepaper", min: 8, max: 16, classes: 3, symbols: "@#$%-_¥", expiry_days: 92, history: 5 };

test("length, kinds and characters are judged apart", () => {
  assert.deepEqual(checkPassword("Abcdef-1", policy), { length: true, classes: true, characters: true });
  assert.deepEqual(checkPassword("abcdefgh", policy), { length: true, classes: false, characters: true });
  assert.deepEqual(checkPassword("Abc-1", policy), { length: false, classes: true, characters: true });
  assert.equal(checkPassword("Abcdef-1 ", policy).characters, false);
  assert.equal(checkPassword("Ａbcdef-1", policy).characters, false);
});
