// SPDX-License-Identifier: Apache-2.0
// QR codes (ISO/IEC 18004): bytes, level M, versions 1 to 20; enough for an
// address of 660 bytes.  Returns rows of modules, true is dark.

const PER_BLOCK = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const MAX_VERSION = 20;

/** Modules that carry data and its correction, in bits. */
function rawBits(version: number): number {
  let bits = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const n = Math.floor(version / 7) + 2;
    bits -= (25 * n - 10) * n - 55;
    if (version >= 7) bits -= 36;
  }
  return bits;
}
const dataBytes = (version: number) => (rawBits(version) >> 3) - PER_BLOCK[version]! * BLOCKS[version]!;

/** Multiplication in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
export function multiply(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> i) & 1) * a;
  }
  return product;
}

function correction(data: number[], count: number): number[] {
  const divisor = Array<number>(count).fill(0);
  divisor[count - 1] = 1;
  for (let i = 0, root = 1; i < count; i++, root = multiply(root, 2))
    for (let j = 0; j < count; j++) divisor[j] = multiply(divisor[j]!, root) ^ (divisor[j + 1] ?? 0);
  const rest = Array<number>(count).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift()!;
    rest.push(0);
    divisor.forEach((d, i) => (rest[i]! ^= multiply(d, factor)));
  }
  return rest;
}

/** Mode, length, bytes, terminator, padding. */
function pack(bytes: Uint8Array, version: number): number[] {
  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let i = length - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  const capacity = dataBytes(version) * 8;
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) put(pad, 8);
  const out: number[] = [];
  for (let i = 0; i < bits.length; i += 8) out.push(parseInt(bits.slice(i, i + 8).join(""), 2));
  return out;
}

/** Blocks with their correction, woven together as they are drawn. */
function weave(data: number[], version: number): number[] {
  const count = BLOCKS[version]!;
  const total = rawBits(version) >> 3;
  const shortOnes = count - (total % count);
  const shortLength = Math.floor(total / count) - PER_BLOCK[version]!;
  const blocks: number[][] = [];
  const checks: number[][] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const length = shortLength + (i < shortOnes ? 0 : 1);
    blocks.push(data.slice(at, (at += length)));
    checks.push(correction(blocks[i]!, PER_BLOCK[version]!));
  }
  const out: number[] = [];
  for (let i = 0; i <= shortLength; i++) for (const block of blocks) if (i < block.length) out.push(block[i]!);
  for (let i = 0; i < PER_BLOCK[version]!; i++) for (const check of checks) out.push(check[i]!);
  return out;
}

function alignments(version: number): number[] {
  if (version === 1) return [];
  const n = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (n * 2 - 2)) * 2;
  const places = [6];
  for (let i = 0; i < n - 1; i++) places.splice(1, 0, version * 4 + 10 - i * step);
  return places;
}

const masks: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class Drawing {
  readonly size: number;
  readonly dark: boolean[][];
  readonly fixed: boolean[][];
  readonly version: number;
  constructor(version: number) {
    this.version = version;
    this.size = version * 4 + 17;
    this.dark = Array.from({ length: this.size }, () => Array<boolean>(this.size).fill(false));
    this.fixed = Array.from({ length: this.size }, () => Array<boolean>(this.size).fill(false));
  }
  set(x: number, y: number, dark: boolean) {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    this.dark[y]![x] = dark;
    this.fixed[y]![x] = true;
  }
  square(cx: number, cy: number, reach: number, light: number[]) {
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++) this.set(cx + dx, cy + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  }
  patterns() {
    for (let i = 0; i < this.size; i++) {
      this.set(6, i, i % 2 === 0);
      this.set(i, 6, i % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [this.size - 4, 3], [3, this.size - 4]] as const) this.square(x, y, 4, [2, 4]);
    const places = alignments(this.version);
    const last = places.length - 1;
    places.forEach((x, i) =>
      places.forEach((y, j) => {
        if (!((i === 0 && (j === 0 || j === last)) || (i === last && j === 0))) this.square(x, y, 2, [1]);
      }),
    );
    this.format(0);
    this.versions();
  }
  /** Level M and the mask, with their own correction (BCH 15,5). */
  format(mask: number) {
    let rest = mask; // level M is 00
    for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
    const bits = ((mask << 10) | rest) ^ 0x5412;
    const bit = (i: number) => ((bits >> i) & 1) === 1;
    for (let i = 0; i <= 5; i++) this.set(8, i, bit(i));
    this.set(8, 7, bit(6));
    this.set(8, 8, bit(7));
    this.set(7, 8, bit(8));
    for (let i = 9; i < 15; i++) this.set(14 - i, 8, bit(i));
    for (let i = 0; i < 8; i++) this.set(this.size - 1 - i, 8, bit(i));
    for (let i = 8; i < 15; i++) this.set(8, this.size - 15 + i, bit(i));
    this.set(8, this.size - 8, true);
  }
  versions() {
    if (this.version < 7) return;
    let rest = this.version;
    for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
    const bits = (this.version << 12) | rest;
    for (let i = 0; i < 18; i++) {
      const a = this.size - 11 + (i % 3);
      const b = Math.floor(i / 3);
      this.set(a, b, ((bits >> i) & 1) === 1);
      this.set(b, a, ((bits >> i) & 1) === 1);
    }
  }
  /** In columns of two from the right, up and down in turn. */
  data(bytes: number[]) {
    let n = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      for (let i = 0; i < this.size; i++)
        for (const x of [right, right - 1]) {
          const y = ((right + 1) & 2) === 0 ? this.size - 1 - i : i;
          if (this.fixed[y]![x]! || n >= bytes.length * 8) continue;
          this.dark[y]![x] = ((bytes[n >> 3]! >> (7 - (n & 7))) & 1) === 1;
          n++;
        }
    }
  }
  mask(n: number) {
    for (let y = 0; y < this.size; y++)
      for (let x = 0; x < this.size; x++) if (!this.fixed[y]![x]! && masks[n]!(x, y)) this.dark[y]![x] = !this.dark[y]![x]!;
  }
  /** How hard it is to read: long runs, blocks, false finders, imbalance. */
  penalty(): number {
    let sum = 0;
    let darks = 0;
    const turned = this.dark[0]!.map((_, x) => this.dark.map((row) => row[x]!));
    for (const rows of [this.dark, turned])
      for (const row of rows) {
        const text = row.map(Number).join("");
        for (const run of text.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
        for (let i = 0; i + 11 <= text.length; i++) if (["10111010000", "00001011101"].includes(text.slice(i, i + 11))) sum += 40;
      }
    for (let y = 0; y < this.size; y++)
      for (let x = 0; x < this.size; x++) {
        if (this.dark[y]![x]!) darks++;
        if (y && x && new Set([this.dark[y]![x], this.dark[y - 1]![x], this.dark[y]![x - 1], this.dark[y - 1]![x - 1]]).size === 1) sum += 3;
      }
    return sum + Math.floor(Math.abs((darks / this.size ** 2) * 20 - 10)) * 10;
  }
}

export function qrCode(text: string): boolean[][] {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= MAX_VERSION && dataBytes(version) * 8 < 4 + (version < 10 ? 8 : 16) + bytes.length * 8) version++;
  if (version > MAX_VERSION) throw new RangeError("too long for a QR code");
  const drawing = new Drawing(version);
  drawing.patterns();
  drawing.data(weave(pack(bytes, version), version));
  let best = 0;
  let least = Infinity;
  for (let n = 0; n < 8; n++) {
    drawing.mask(n);
    drawing.format(n);
    const penalty = drawing.penalty();
    if (penalty < least) [best, least] = [n, penalty];
    drawing.mask(n); // twice is not at all
  }
  drawing.mask(best);
  drawing.format(best);
  return drawing.dark;
}

/** One path of unit squares, for an SVG with a quiet zone of four. */
export function qrPath(rows: boolean[][]): string {
  let path = "";
  rows.forEach((row, y) => row.forEach((dark, x) => (path += dark ? `M${x + 4} ${y + 4}h1v1h-1z` : "")));
  return path;
}
