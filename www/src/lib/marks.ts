// SPDX-License-Identifier: Apache-2.0
// A choice of labels as the address and the server write it: ids with commas
// between (any one of them), "none" for what bears none, "" for everything.
export function toggleMark(value: string, id: string): string {
  const chosen = value === "none" || !value ? [] : value.split(",");
  return (chosen.includes(id) ? chosen.filter((x) => x !== id) : [...chosen, id]).join(",");
}

export function bearsMark(value: string, labels: readonly string[] | undefined): boolean {
  if (!value) return true;
  if (value === "none") return !labels?.length;
  const chosen = value.split(",");
  return (labels ?? []).some((l) => chosen.includes(l));
}
