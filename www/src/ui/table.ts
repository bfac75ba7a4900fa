// SPDX-License-Identifier: Apache-2.0
// Which rows and columns of a long table are really drawn.
export interface Column {
  id: string;
  label: string;
  /** In px; the one without takes what is left, ELASTIC_PX at least. */
  width?: number;
  /** Shown only if the table is at least this wide; the highest goes first when
   * the columns together leave too little. */
  from?: number;
  /** Name to sort by; "-name" is the other way round. */
  sort?: string;
  end?: boolean; // numbers stand at the right
  hidden?: boolean; // the heading is for those who listen
}

const SPARE = 8; // rows above and below what is seen

export function visibleRows(count: number, rowHeight: number, top: number, height: number) {
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE);
  return { first: Math.min(first, count), last, above: Math.min(first, count) * rowHeight, below: (count - last) * rowHeight };
}

const ELASTIC_PX = 240;

export function shownColumns(columns: Column[], width: number): Column[] {
  const shown = columns.filter((c) => !c.from || width >= c.from);
  const needed = shown.reduce((sum, c) => sum + (c.width ?? ELASTIC_PX), 0);
  const last = shown.reduce((a, c) => Math.max(a, c.from ?? 0), 0);
  return needed > width && last ? shownColumns(columns.filter((c) => c.from !== last), width) : shown;
}

/** The next sort after a click on a heading: up, down, none. */
export function nextSort(current: string, name: string): string | null {
  if (current === name) return `-${name}`;
  return current === `-${name}` ? null : name;
}

/** What is drawn, line by line: a row with its place among the rows, or (row null, at -1) the heading of the group that follows. */
export interface Line<T> {
  row: T | null;
  at: number;
  heading: string;
}
export function groupedLines<T>(rows: readonly T[], groupOf?: (row: T) => string): Line<T>[] {
  const lines: Line<T>[] = [];
  let last: string | null = null;
  rows.forEach((row, at) => {
    const heading = groupOf?.(row) ?? "";
    if (groupOf && heading !== last) lines.push({ row: null, at: -1, heading });
    last = heading;
    lines.push({ row, at, heading });
  });
  return lines;
}
