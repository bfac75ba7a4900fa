// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { readMarkdown } from "./markdown.ts";
import { pastedName, pictureMark, waitingMark, withoutWaiting } from "./picture.ts";

const inline = (text: string) => {
  const [block] = readMarkdown(text);
  return block?.kind === "paragraph" ? block.children : [];
};

test("a picture of the ticket stands anywhere in a line, with its name", () => {
  assert.deepEqual(inline("前 ![画面 1.png](file:12)後"), [
    { kind: "text", text: "前 " },
    { kind: "picture", id: "12", alt: "画面 1.png" },
    { kind: "text", text: "後" },
  ]);
});

test("no other address becomes a picture", () => {
  for (const bad of ["https://example.jp/x.png", "file:1/../2", "file:", "file:-1", "file:12345678901234567890", "data:image/png;base64,x", "javascript:alert(1)", "//x"])
    assert.ok(!JSON.stringify(inline(`![x](${bad})`)).includes('"picture"'), bad);
});

test("a name cannot end the mark it stands in", () => {
  assert.equal(pictureMark("a](file:9)![b\n.png", "3"), "![a (file:9)! b .png](file:3)");
  assert.deepEqual(inline(pictureMark("図[1].png", "3")), [{ kind: "picture", id: "3", alt: "図 1 .png" }]);
});

test("one on its way shows its name, and leaves the text with the page", () => {
  const text = `a ${waitingMark("x.png", 1)}\nb`;
  assert.deepEqual(inline(text)[1], { kind: "picture", id: "", alt: "x.png" });
  assert.equal(withoutWaiting(text), "a b");
});

test("pasted pictures are named by their moment, in Japan's time", () => {
  const now = new Date("2026-11-22T15:04:05Z");
  assert.equal(pastedName({ name: "image.png", type: "image/png" }, "画像", now), "画像-20261123-000405.png");
  assert.equal(pastedName({ name: "", type: "image/jpeg" }, "picture", now), "picture-20261123-000405.jpg");
  assert.equal(pastedName({ name: "図.webp", type: "image/webp" }, "画像", now), "図.webp");
});
