#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# @geolonia/japanese-numeral 1.0.2 reads amounts that mix digits and kanji,
# but a comma or a decimal point in them makes a smaller number, not an error:
# 1,200万 (12,000,000) is 0, and 1億2,000万 (120,000,000) is 100,000,000.
#
# Versions: @geolonia/japanese-numeral 1.0.2 (kanji2number), and
# japanese-numerals-to-number 1.0.2, which knows kanji alone; Node 20.
#
# Seen of the first, which raises an error for what it does not know at all
# (12,345 and 十二・五):
#
#   written          meant          read
#   1億2000万        120,000,000    120,000,000
#   1億2,000万       120,000,000    100,000,000
#   1億２,５００万   125,000,000    100,000,000
#   1兆5,000億       1,500,000,000,000   1,000,000,000,000
#   1,200万           12,000,000              0
#   1.5億            150,000,000              0
#   -5億            -500,000,000              0
#
# The second refuses every one of them with an error, which is safe.
#
# Why it matters: budgets and estimates in Japanese plans are written 1,200万円
# and 1.5億円 by hand and by spreadsheets.  Who adds a reader for such cells
# must check the whole text first; a total that is short by a fifth looks sane.
#
# Exits 0 if all is as stated, 1 if something changed, 2 if nothing could be
# fetched.  Needs node and npm.
set -u
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2

npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$tmp" \
    @geolonia/japanese-numeral@1.0.2 japanese-numerals-to-number@1.0.2 ||
    exit 2

cat >seen.cjs <<'EOF'
const first = require('@geolonia/japanese-numeral').kanji2number;
const module2 = require('japanese-numerals-to-number');
const second = module2.default ?? module2;
const read = (reader, text) => {
    try {
        return reader(text);
    } catch {
        return 'error';
    }
};
for (const text of ['一億二千万', '1億2000万', '1億2,000万', '1億２,５００万',
                    '1兆5,000億', '1,200万', '1.5億', '-5億', '12,345',
                    '十二・五'])
    console.log(text, read(first, text), read(second, text));
EOF
node seen.cjs | sed 's/ -0 / 0 /' >seen || exit 1

cat >expected <<'EOF'
一億二千万 120000000 120000000
1億2000万 120000000 error
1億2,000万 100000000 error
1億２,５００万 100000000 error
1兆5,000億 1000000000000 error
1,200万 0 error
1.5億 0 error
-5億 0 error
12,345 error error
十二・五 error error
EOF
cat seen
diff -u expected seen || exit 1
echo "as stated"
