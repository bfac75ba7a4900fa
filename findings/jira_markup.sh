#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# jira2md 3.0.1 and J2M 1.1.0 turn Jira's text into Markdown and take marks
# inside words for emphasis: two file names, identifiers or date ranges in a
# line are broken, also within addresses and blocks of code.
#
# Versions: jira2md 3.0.1, j2m 1.1.0; Node 20.
#
# Seen, the same of both:
#
#   written                             comes out as
#   wbs_v1_final.xlsx                   wbs*v1*final.xlsx
#   DB_HOST と DB_PORT                  DB*HOST と DB*PORT
#   https://example.jp/kick_off_memo    https://example.jp/kick*off*memo
#   {code} with int a_b_c;              a fence with int a*b*c;
#   10~15日、20~25日                    10<sub>15日、20</sub>25日
#   +10% から +20%                      <ins>10% から </ins>20%
#   *設計*は完了、*製造*は未着手        **設計*は完了、*製造**は未着手
#
# The address no longer leads to its page, the code says something else, and
# where HTML is removed the ranges read "1015日、2025日".  Two marks in a line are
# enough; none of these is an error.
#
# Why it matters: tickets and comments that move from Jira to a tool of Markdown
# pass through such a converter before an import sees them.  Japanese text
# writes ~ for "to" and has no spaces between words, so it meets this often.
# Worth a look after a move: addresses, file names, ranges, code.
#
# Exits 0 if all is as stated, 1 if something changed, 2 if nothing could be
# fetched.  Needs node and npm.
set -u
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2

npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$tmp" \
    jira2md@3.0.1 j2m@1.1.0 || exit 2

cat >seen.cjs <<'EOF'
const jira2md = require('jira2md');
const j2m = require('j2m');

const texts = [
    'wbs_v1_final.xlsx',
    'DB_HOST と DB_PORT',
    'https://example.jp/kick_off_memo',
    '{code}\nint a_b_c;\n{code}',
    '10~15日、20~25日',
    '+10% から +20%',
    '*設計*は完了、*製造*は未着手',
];
for (const text of texts)
    for (const made of [jira2md.to_markdown(text), j2m.toM(text)])
        console.log(JSON.stringify(made.trim()));
EOF
node seen.cjs >seen || exit 1

cat >expected <<'EOF'
"wbs*v1*final.xlsx"
"wbs*v1*final.xlsx"
"DB*HOST と DB*PORT"
"DB*HOST と DB*PORT"
"https://example.jp/kick*off*memo"
"https://example.jp/kick*off*memo"
"```\nint a*b*c;\n```"
"```\nint a*b*c;\n```"
"10<sub>15日、20</sub>25日"
"10<sub>15日、20</sub>25日"
"<ins>10% から </ins>20%"
"<ins>10% から </ins>20%"
"**設計*は完了、*製造**は未着手"
"**設計*は完了、*製造**は未着手"
EOF
cat seen
diff -u expected seen || exit 1
echo "as stated"
