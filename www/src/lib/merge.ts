// SPDX-License-Identifier: Apache-2.0
// Two people changed one text: what each did is put together by lines, unless
// both touched the same place.

const WORK_MAX = 4_000_000; // cells of the table below; more is asked

/** Lines of b that stand in a, in order: pairs of positions. */
function common(a: string[], b: string[]): [number, number][] | null {
  let begin = 0;
  while (begin < a.length && begin < b.length && a[begin] === b[begin]) begin++;
  let end = 0;
  while (end < a.length - begin && end < b.length - begin && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const n = a.length - begin - end;
  const m = b.length - begin - end;
  if (n * m > WORK_MAX) return null;
  const pairs: [number, number][] = [];
  for (let i = 0; i < begin; i++) pairs.push([i, i]);
  // longest common subsequence of what differs
  const width = m + 1;
  const table = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--)
      table[i * width + j] =
        a[begin + i] === b[begin + j]
          ? table[(i + 1) * width + j + 1]! + 1
          : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (a[begin + i] === b[begin + j]) pairs.push([begin + i++, begin + j++]);
    else if (table[(i + 1) * width + j]! >= table[i * width + j + 1]!) i++;
    else j++;
  }
  for (let k = end; k > 0; k--) pairs.push([a.length - k, b.length - k]);
  return pairs;
}

const same = (x: string[], y: string[]) => x.length === y.length && x.every((line, i) => line === y[i]);

/** null: both changed the same lines, or next to each other. */
export function mergeLines(base: string, mine: string, theirs: string): string | null {
  if (mine === theirs || theirs === base) return mine;
  if (mine === base) return theirs;
  const [o, a, b] = [base, mine, theirs].map((text) => text.split("\n")) as [string[], string[], string[]];
  const inMine = common(o, a);
  const inTheirs = common(o, b);
  if (!inMine || !inTheirs) return null;
  const mineOf = new Map(inMine);
  const theirsOf = new Map(inTheirs);
  const out: string[] = [];
  let [i, j, k] = [0, 0, 0]; // of base, mine, theirs: all before is in out
  for (let at = 0; at <= o.length; at++) {
    const isEnd = at === o.length;
    const p = isEnd ? a.length : mineOf.get(at);
    const q = isEnd ? b.length : theirsOf.get(at);
    if (p === undefined || q === undefined) continue; // somebody changed it
    const [was, m, t] = [o.slice(i, at), a.slice(j, p), b.slice(k, q)];
    const changedByMe = !same(m, was);
    if (changedByMe && !same(t, was) && !same(m, t)) return null;
    out.push(...(changedByMe ? m : t));
    if (!isEnd) out.push(o[at]!);
    [i, j, k] = [at + 1, p + 1, q + 1];
  }
  return out.join("\n");
}
