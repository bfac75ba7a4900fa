// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { chord, isComposing, onKeys } from "./keys.ts";

const key = (name: string, more: object = {}) => ({ key: name, isComposing: false, ...more });

test("chords read the same on every keyboard", () => {
  assert.equal(chord(key("K", { ctrlKey: true })), "ctrl+k");
  assert.equal(chord(key("k", { metaKey: true })), "ctrl+k");
  assert.equal(chord(key("Z", { ctrlKey: true, shiftKey: true })), "ctrl+shift+z");
  assert.equal(chord(key("?", { shiftKey: true })), "?");
  assert.equal(chord(key("ArrowDown", { altKey: true, shiftKey: true })), "alt+shift+arrowdown");
});

test("an Enter that confirms kana does nothing", () => {
  let saved = 0;
  const handle = onKeys({ enter: () => saved++ });
  const press = (more: object) =>
    handle({ ...key("Enter", more), defaultPrevented: false, preventDefault() {} } as unknown as KeyboardEvent);
  press({ isComposing: true });
  press({ keyCode: 229 });
  assert.equal(saved, 0);
  press({});
  assert.equal(saved, 1);
  assert.ok(isComposing(key("Enter", { keyCode: 229 })));
});
