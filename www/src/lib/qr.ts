// SPDX-License-Identifier: Apache-2.0
// QR codes (ISO/IEC 18004), level M, as large as a dialog shows readably:
// version 20, an address of 666 bytes.
import { encode } from "uqr";

/** Rows of modules, true is dark; RangeError when the text is too long. */
export function qrCode(text: string): boolean[][] {
  return encode(text, { ecc: "M", border: 0, maxVersion: 20 }).data;
}

/** One path of unit squares, for an SVG with a quiet zone of four. */
export function qrPath(rows: boolean[][]): string {
  let path = "";
  rows.forEach((row, y) => row.forEach((dark, x) => (path += dark ? `M${x + 4} ${y + 4}h1v1h-1z` : "")));
  return path;
}
