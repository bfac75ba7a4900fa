// SPDX-License-Identifier: Apache-2.0
// The part of Markdown people use in tickets, read into a tree that is drawn
// node by node: text never becomes HTML.

export type Inline =
  | { kind: "text" | "code"; text: string }
  | { kind: "strong" | "em" | "del"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] }
  | { kind: "picture"; id: string; alt: string } // a file of the ticket; "": still on its way
  | { kind: "break" };
export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "quote"; children: Block[] }
  | { kind: "list"; ordered: boolean; items: { checked: boolean | null; children: Inline[] }[] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] }
  | { kind: "picture"; src: string; alt: string }
  | { kind: "rule" };

const MAX_DEPTH = 8;

/** http, https, mailto and pages of the manual; everything else stays text. */
export const safeHref = (href: string) => (/^(https?:\/\/|mailto:|\/help\/[a-z]+$)/i.test(href) ? href : null);

/** A picture stands in a line of its own and is one of the manual's. */
const PICTURE = /^!\[([^\]]*)\]\((\/manual\/[a-z]+\/[a-z-]+\.webp)\)$/;

const spans: [RegExp, (m: RegExpMatchArray, depth: number) => Inline | null][] = [
  [/^!\[([^\]\n]{0,300})\]\((?:file:([1-9]\d{0,18})|uploading:\d+)\)/, (m) => ({ kind: "picture", id: m[2] ?? "", alt: m[1]! })],
  [/^`([^`]+)`/, (m) => ({ kind: "code", text: m[1]! })],
  [/^\*\*(?=\S)(.+?)\*\*/, (m, d) => ({ kind: "strong", children: readInline(m[1]!, d + 1) })],
  [/^~~(?=\S)(.+?)~~/, (m, d) => ({ kind: "del", children: readInline(m[1]!, d + 1) })],
  [/^\*(?=[^\s*])([^*\n]+?)\*/, (m, d) => ({ kind: "em", children: readInline(m[1]!, d + 1) })],
  [
    /^\[([^\]\n]{1,500})\]\(([^)\s]{1,2000})\)/,
    (m, d) => (safeHref(m[2]!) ? { kind: "link", href: m[2]!, children: readInline(m[1]!, d + 1) } : null),
  ],
  [
    /^https?:\/\/[^\s<>「」（）、。]+/,
    (m) => ({ kind: "link", href: m[0], children: [{ kind: "text", text: m[0] }] }),
  ],
];

export function readInline(text: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let i = 0; i < text.length; ) {
    if (text[i] === "\n") {
      flush();
      out.push({ kind: "break" });
      i++;
      continue;
    }
    const found = depth < MAX_DEPTH && /[`*~[!h]/.test(text[i]!) ? readSpan(text.slice(i), depth) : null;
    if (found) {
      flush();
      out.push(found.node);
      i += found.length;
    } else {
      plain += text[i++];
    }
  }
  flush();
  return out;
}

function readSpan(rest: string, depth: number) {
  for (const [pattern, make] of spans) {
    const m = rest.match(pattern);
    const node = m && make(m, depth);
    if (node) return { node, length: m[0].length };
  }
  return null;
}

const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const cells = (line: string) =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((c) => readInline(c.trim()));

function readItems(lines: string[], from: number): { block: Block; next: number } {
  const ordered = ITEM.exec(lines[from]!)![1] !== undefined;
  const items: { checked: boolean | null; children: Inline[] }[] = [];
  let i = from;
  for (; i < lines.length; i++) {
    const m = ITEM.exec(lines[i]!);
    if (!m || (m[1] !== undefined) !== ordered) break;
    const box = m[2]!.match(/^\[([ xX])\]\s+(.*)$/);
    items.push({ checked: box ? box[1] !== " " : null, children: readInline(box ? box[2]! : m[2]!) });
  }
  return { block: { kind: "list", ordered, items }, next: i };
}

const starts = (line: string) => /^(#{1,6}\s|```|>|\s*[-*+]\s|\s*\d{1,9}[.)]\s|(-{3,}|\*{3,})\s*$)/.test(line);

export function readMarkdown(text: string, depth = 0): Block[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const out: Block[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i]!;
    const heading = line.match(/^(#{1,6})\s+(.*)$/);
    const picture = line.match(PICTURE);
    if (!line.trim()) {
      i++;
    } else if (picture) {
      out.push({ kind: "picture", alt: picture[1]!, src: picture[2]! });
      i++;
    } else if (line.startsWith("```")) {
      const end = lines.findIndex((l, n) => n > i && l.startsWith("```"));
      const stop = end < 0 ? lines.length : end;
      out.push({ kind: "code", text: lines.slice(i + 1, stop).join("\n") });
      i = stop + 1;
    } else if (heading) {
      out.push({ kind: "heading", level: heading[1]!.length, children: readInline(heading[2]!) });
      i++;
    } else if (/^(-{3,}|\*{3,})\s*$/.test(line)) {
      out.push({ kind: "rule" });
      i++;
    } else if (line.startsWith(">") && depth < MAX_DEPTH) {
      let n = i;
      while (n < lines.length && lines[n]!.startsWith(">")) n++;
      const inner = lines.slice(i, n).map((l) => l.replace(/^>\s?/, ""));
      out.push({ kind: "quote", children: readMarkdown(inner.join("\n"), depth + 1) });
      i = n;
    } else if (ITEM.test(line)) {
      const { block, next } = readItems(lines, i);
      out.push(block);
      i = next;
    } else if (line.includes("|") && /^[\s|:-]+$/.test(lines[i + 1] ?? "") && lines[i + 1]!.includes("-")) {
      let n = i + 2;
      while (n < lines.length && lines[n]!.includes("|")) n++;
      out.push({ kind: "table", head: cells(line), rows: lines.slice(i + 2, n).map(cells) });
      i = n;
    } else {
      let n = i + 1;
      while (n < lines.length && lines[n]!.trim() && !starts(lines[n]!) && !PICTURE.test(lines[n]!)) n++;
      out.push({ kind: "paragraph", children: readInline(lines.slice(i, n).join("\n")) });
      i = n;
    }
  }
  return out;
}
