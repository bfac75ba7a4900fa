// SPDX-License-Identifier: Apache-2.0
// Reads an archive as its owner would without us: a ZIP by its directory, CSV,
// JSON, and the SQLite file by another SQLite.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";

export const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Every entry, in order. */
export function unzip(zip: Buffer): Map<string, Buffer> {
  const end = zip.length - 22;
  assert.equal(zip.readUInt32LE(end), 0x06054b50, "ends with its directory");
  const found = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    assert.equal(zip.readUInt32LE(at), 0x02014b50);
    const [crc, packed, size] = [16, 20, 24].map((i) => zip.readUInt32LE(at + i)) as [number, number, number];
    const [nameLen, extra] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    const head = zip.readUInt32LE(at + 42);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLen);
    const from = head + 30 + zip.readUInt16LE(head + 26) + zip.readUInt16LE(head + 28);
    const data = inflateRawSync(zip.subarray(from, from + packed));
    assert.deepEqual([data.length, crc32(data)], [size, crc], name);
    found.set(name, data);
    at += 46 + nameLen + extra;
  }
  return found;
}

/** Packs entries again, in the form the archive has. */
export function zip(entries: Iterable<[string, Uint8Array]>): Buffer {
  const parts: Buffer[] = [];
  const rows: Buffer[] = [];
  let at = 0;
  for (const [name, data] of entries) {
    const packed = deflateRawSync(data);
    const text = Buffer.from(name);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(20, 4);
    head.writeUInt16LE(0x0808, 6);
    head.writeUInt16LE(8, 8);
    head.writeUInt32LE(0x5c7a0000, 10);
    head.writeUInt16LE(text.length, 26);
    const mark = Buffer.alloc(16);
    mark.writeUInt32LE(0x08074b50, 0);
    mark.writeUInt32LE(crc32(data), 4);
    mark.writeUInt32LE(packed.length, 8);
    mark.writeUInt32LE(data.length, 12);
    const row = Buffer.alloc(46);
    row.writeUInt32LE(0x02014b50, 0);
    row.writeUInt16LE((3 << 8) | 45, 4);
    head.copy(row, 6, 4, 14);
    mark.copy(row, 16, 4, 16);
    row.writeUInt16LE(text.length, 28);
    row.writeUInt32LE((0o100600 << 16) >>> 0, 38);
    row.writeUInt32LE(at, 42);
    rows.push(row, text);
    for (const part of [head, text, packed, mark]) {
      parts.push(part);
      at += part.length;
    }
  }
  const directory = Buffer.concat(rows);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(rows.length / 2, 8);
  end.writeUInt16LE(rows.length / 2, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

/** With its checksums and manifest made right again after a change. */
export function reseal(entries: Map<string, Buffer>, change: (manifest: any) => void = () => undefined): Buffer {
  const manifest = JSON.parse(entries.get("manifest.json")!.toString());
  for (const one of manifest.entries) {
    const data = entries.get(one.name);
    if (data) [one.bytes, one.sha256] = [data.length, sha256(data)];
  }
  change(manifest);
  entries.set("manifest.json", Buffer.from(`${JSON.stringify(manifest)}\n`));
  entries.delete("SHA256SUMS");
  const sums = [...entries].map(([name, data]) => `${sha256(data)}  ${name}\n`).join("");
  entries.set("SHA256SUMS", Buffer.from(sums));
  return zip(entries);
}

/** Rows of a CSV as objects; every cell is quoted. */
export function csvRows(data: Buffer): Record<string, string>[] {
  assert.deepEqual([...data.subarray(0, 3)], [0xef, 0xbb, 0xbf], "a byte order mark");
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, cell, end] of data.toString("utf8").slice(1).matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)) {
    row.push(cell!.replaceAll('""', '"'));
    if (end === "\r\n") {
      rows.push(row);
      row = [];
    }
  }
  const [names, ...rest] = rows;
  return rest.map((cells) => Object.fromEntries(cells.map((cell, i) => [names![i], cell])));
}

export const jsonRows = (data: Buffer): any[] =>
  data.toString("utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));

/** The database opened by Node's own SQLite. */
export function openDatabase<T>(data: Uint8Array, use: (db: DatabaseSync, path: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "yagura-archive-db-"));
  const path = join(dir, "tenant.db");
  writeFileSync(path, data);
  const db = new DatabaseSync(path);
  try {
    return use(db, path);
  } finally {
    db.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
