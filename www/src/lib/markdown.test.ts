// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { readInline, readMarkdown, safeHref } from "./markdown.ts";

test("headings, lists, code and quotes become blocks", () => {
  const kinds = readMarkdown("# 概要\n\n- a\n- [x] b\n\n1. c\n\n> 引用\n\n```\n<b>\n```\n---\n文").map((b) => b.kind);
  assert.deepEqual(kinds, ["heading", "list", "list", "quote", "code", "rule", "paragraph"]);
});

test("a table has a head and rows", () => {
  const [table] = readMarkdown("| 項目 | 値 |\n|---|---|\n| a | 1 |");
  assert.equal(table?.kind, "table");
  if (table?.kind === "table") assert.deepEqual([table.head.length, table.rows.length], [2, 1]);
});

test("marks inside a line nest", () => {
  assert.deepEqual(readInline("**a `b`**"), [
    { kind: "strong", children: [{ kind: "text", text: "a " }, { kind: "code", text: "b" }] },
  ]);
});

test("only harmless addresses become links", () => {
  assert.equal(safeHref("javascript:alert(1)"), null);
  assert.equal(safeHref("data:text/html,x"), null);
  assert.ok(safeHref("https://example.jp/"));
  const [first] = readInline("[x](javascript:alert(1))");
  assert.equal(first?.kind, "text");
  const found = readInline("見る https://example.jp/a。次");
  assert.deepEqual(found[1], { kind: "link", href: "https://example.jp/a", children: [{ kind: "text", text: "https://example.jp/a" }] });
});

test("HTML stays text, deep nesting and long lines end", () => {
  assert.deepEqual(readInline("<img onerror=x>"), [{ kind: "text", text: "<img onerror=x>" }]);
  readMarkdown(">".repeat(5000) + " x");
  const start = performance.now();
  readInline("*".repeat(20_000));
  readInline("[".repeat(20_000));
  readInline("![".repeat(20_000));
  assert.ok(performance.now() - start < 2000);
});
