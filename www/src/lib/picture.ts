// SPDX-License-Identifier: Apache-2.0
// Pictures in Markdown: ![name](file:12) is file 12 of the ticket the text
// belongs to; ![name](uploading:1) marks where one will be.

export const PICTURE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Brackets and line ends would end the mark. */
const altOf = (name: string) => name.replace(/[[\]\s]+/g, " ").trim();
export const pictureMark = (name: string, id: string) => `![${altOf(name)}](file:${id})`;
export const waitingMark = (name: string, no: number) => `![${altOf(name)}](uploading:${no})`;
/** The text as it may be kept: what was on its way is gone with the page. */
export const withoutWaiting = (text: string) => text.replace(/!\[[^\]\n]*\]\(uploading:\d+\)\n?/g, "");

/** Pasted pictures are all called image.png: they are told apart by their moment. */
export function pastedName(file: { name: string; type: string }, prefix: string, now: Date) {
  const ending = file.type === "image/jpeg" ? "jpg" : file.type.replace("image/", "");
  if (!/^image\.\w+$/i.test(file.name) && file.name) return file.name;
  const jst = new Date(now.getTime() + 9 * 3600_000).toISOString();
  return `${prefix}-${jst.slice(0, 10).replaceAll("-", "")}-${jst.slice(11, 19).replaceAll(":", "")}.${ending}`;
}
