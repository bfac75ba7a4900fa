#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ical.js 2.2.1 keeps BYSETPOS for "the last working day of the month", but
# not once BYMONTHDAY or a weekly rule is with it: "the 25th, or the last
# working day before it" becomes every working day from the 23rd to the 25th.
#
# Versions: ical.js 2.2.1, rrule 2.8.1 (as the second opinion), Node 20.
#
# RFC 5545, 3.3.10: BYSETPOS takes the n-th of the set that the other parts
# give within one interval of the frequency.  Four rules of Japanese offices,
# each with a DTSTART that is its first day, so that nothing depends on how a
# DTSTART outside of the rule is counted:
#
#   month's last working day   BYDAY only                  both libraries agree
#   payday, 25th or before     BYMONTHDAY=23,24,25 + BYDAY ical.js: each day
#   closing, last of 28..31    BYMONTHDAY=28..31 + BYDAY   ical.js: each day
#   week's last working day    FREQ=WEEKLY + BYDAY         ical.js: each day
#
# No error is raised, and COUNT is used up by the days that are too many: the
# six paydays of half a year end in March.
#
# Why it matters: a recurring ticket or a holiday calendar that leaves as a
# feed is expanded by the reader's library.  A rule that looks right in one
# calendar is three days a month in another; dates listed one by one are safe.
#
# Exits 0 if all is as stated, 1 if something changed, 2 if nothing could be
# fetched.  Needs node and npm.
set -u
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2

npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$tmp" \
    ical.js@2.2.1 rrule@2.8.1 || exit 2

cat >seen.mjs <<'EOF'
import ICAL from 'ical.js';
import rrule from 'rrule';

const week = 'BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1';
const rules = [
    ['month', '2026-01-30', `FREQ=MONTHLY;${week};COUNT=6`],
    ['payday', '2026-01-23',
     `FREQ=MONTHLY;BYMONTHDAY=23,24,25;${week};COUNT=6`],
    ['closing', '2026-01-30',
     `FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;${week};COUNT=6`],
    ['week', '2026-01-09', `FREQ=WEEKLY;${week};COUNT=4`],
];
for (const [name, start, rule] of rules) {
    const days = ICAL.Recur.fromString(rule)
        .iterator(ICAL.Time.fromString(start));
    const found = [];
    for (let day = days.next(); day; day = days.next())
        found.push(day.toString().slice(5));
    const second = rrule
        .rrulestr(`DTSTART:${start.replaceAll('-', '')}T000000Z\nRRULE:${rule}`)
        .all()
        .map((day) => day.toISOString().slice(5, 10));
    console.log(`${name} ical.js ${found.join(' ')}`);
    console.log(`${name} rrule ${second.join(' ')}`);
}
EOF
node seen.mjs >seen || exit 1

cat >expected <<'EOF'
month ical.js 01-30 02-27 03-31 04-30 05-29 06-30
month rrule 01-30 02-27 03-31 04-30 05-29 06-30
payday ical.js 01-23 02-23 02-24 02-25 03-23 03-24
payday rrule 01-23 02-25 03-25 04-24 05-25 06-25
closing ical.js 01-30 03-30 03-31 04-28 04-29 04-30
closing rrule 01-30 03-31 04-30 05-29 06-30 07-31
week ical.js 01-09 01-12 01-13 01-14
week rrule 01-09 01-16 01-23 01-30
EOF
cat seen
diff -u expected seen || exit 1
echo "as stated"
