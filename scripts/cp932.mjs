// SPDX-License-Identifier: Apache-2.0
// Prints the CP932 table: for each lead byte 0x81-0x9F, 0xE0-0xFC, the Unicode
// values of trail bytes 0x40-0xFC; 0 where there is none.
const decoder = new TextDecoder("shift_jis", { fatal: true });
const leads = [];
for (let b = 0x81; b <= 0xfc; b++) if (b <= 0x9f || b >= 0xe0) leads.push(b);
const rows = leads.map((lead) => {
  const row = [];
  for (let trail = 0x40; trail <= 0xfc; trail++) {
    let code = 0;
    try {
      const text = decoder.decode(new Uint8Array([lead, trail]));
      if ([...text].length === 1) code = text.codePointAt(0);
    } catch {
      code = 0;
    }
    row.push(code > 0xffff ? 0 : code);
  }
  return `{${row.join(",")}}`;
});
console.log('#include "base/cp932.h"');
console.log(`const unsigned short cp932_table[${leads.length}][189] = {\n${rows.join(",\n")}};`);
