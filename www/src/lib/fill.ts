// SPDX-License-Identifier: Apache-2.0
/** "{n} {n:day|days}" with {n: 1}: "1 day". */
export function fill(text: string, values: Record<string, string | number>): string {
  return text
    .replace(/\{(\w+):([^|}]*)\|([^}]*)\}/g, (_, name, one, many) => (Number(values[name]) === 1 ? one : many))
    .replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
