// SPDX-License-Identifier: Apache-2.0
// The pictures of the sums below were read by another program.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { qrCode, qrPath } from "./qr.ts";

const sum = (rows: boolean[][]) => createHash("sha256").update(rows.map((r) => r.map(Number).join("")).join("\n")).digest("hex").slice(0, 16);

test("the size grows with the text, in steps of four", () => {
  for (const [length, size] of [[1, 21], [14, 21], [15, 25], [26, 25], [62, 33], [180, 53], [213, 57], [660, 97]] as const)
    assert.equal(qrCode("x".repeat(length)).length, size, `${length} bytes`);
  assert.throws(() => qrCode("x".repeat(700)), RangeError);
});

test("known texts give known pictures", () => {
  assert.equal(sum(qrCode("櫓")), "8e68511385041855");
  assert.equal(sum(qrCode("otpauth://totp/Yagura%20kaku:sato@kaku.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Yagura%20kaku")), "d8d3a18e2cd3e735");
  assert.equal(sum(qrCode("a".repeat(300))), "48dd11bfa68b09ee");
});

test("finders in three corners, timing between them, one dark module", () => {
  const rows = qrCode("finders");
  const finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"];
  for (const [x, y] of [[0, 0], [rows.length - 7, 0], [0, rows.length - 7]] as const)
    assert.deepEqual(rows.slice(y, y + 7).map((r) => r.slice(x, x + 7).map(Number).join("")), finder);
  assert.ok(rows[rows.length - 8]![8]);
  assert.deepEqual(rows[6]!.slice(8, -8).map((dark, i) => dark === (i % 2 === 0)).includes(false), false);
});

test("the path draws each dark module once, inside a quiet zone", () => {
  const rows = qrCode("path");
  const squares = qrPath(rows).match(/M\d+ \d+/g)!;
  assert.equal(squares.length, rows.flat().filter(Boolean).length);
  assert.ok(squares.every((s) => s.slice(1).split(" ").every((n) => Number(n) >= 4 && Number(n) < rows.length + 4)));
});
