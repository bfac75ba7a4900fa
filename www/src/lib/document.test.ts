// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { body, regionNames } from "./document.ts";

test("a text is shown without its title", () => {
  assert.equal(body("# 方針\n\n## 1\n"), "\n## 1\n");
  assert.equal(body("## 1\n"), "## 1\n");
});
test("regions are told by their country's name", () => {
  assert.equal(regionNames("jp", "ja"), "日本");
  assert.equal(regionNames("jp-tokyo us", "en"), "Japan (tokyo), United States");
  assert.equal(regionNames("", "ja"), "");
});
