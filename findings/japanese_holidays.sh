#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Five libraries give four answers to which weekdays of 2024 to 2050 are
# public holidays in Japan.
#
# Versions: of npm japanese-holidays 1.0.10, @holiday-jp/holiday_jp 2.5.1 and
# date-holidays 3.37.0; of Debian 12 python3-workalendar 17.0.0-1 and
# python3-holidays 0.10.1-3.
#
# The Act on National Holidays, article 3: a holiday on a Sunday moves to the
# next day that is none (2), and a day between two holidays is one (3).
# japanese-holidays and @holiday-jp/holiday_jp agree on all of these years and
# are what the others are compared with.  Missing, of the weekdays:
#
#  - date-holidays: 2032-09-21 and 2049-09-21, between Respect for the Aged Day
#    and the autumnal equinox of the 22nd.  It has 2026-09-22 and the other
#    years in which the equinox is on the 23rd.
#  - python3-holidays: the Monday after an Emperor's Birthday (23 February, the
#    date since 2020) on a Sunday: 2025, 2031, 2042, 2048.
#  - python3-workalendar: all of both rules, 47 and 5 weekdays, among them
#    2026-05-06 and 2026-09-22.
#
# None has a weekday too many.  (Equinoxes are announced in February of the
# year before; for later years all five forecast them, to the same days.)
#
# Why it matters: tools that exchange a plan each count working days by the
# calendar that they have.  Ten working days from 2026-09-14 end on the 29th or
# the 30th; and a calendar that is right this year may be wrong in six.
#
# Exits 0 if all is as stated, 1 if something changed, 2 if nothing could be
# fetched.  Needs node, npm and Debian 12 with its python3 and current package
# lists; installs nothing.
set -u
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2

npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$tmp" \
    japanese-holidays@1.0.10 @holiday-jp/holiday_jp@2.5.1 \
    date-holidays@3.37.0 || exit 2
apt-get download python3-workalendar=17.0.0-1 python3-holidays=0.10.1-3 \
    python3-convertdate python3-pymeeus python3-dateutil python3-lunardate \
    python3-pyluach python3-six python3-tz >apt.log 2>&1 ||
    { cat apt.log; exit 2; }
for deb in *.deb; do
    dpkg -x "$deb" root || exit 2
done

# each writes its weekdays, one a line, to a file of its name
cat >npm.cjs <<'EOF'
const { writeFileSync } = require('node:fs');
const japanese = require('japanese-holidays');
const table = require('@holiday-jp/holiday_jp').holidays;
const Holidays = require('date-holidays');

const two = (n) => String(n).padStart(2, '0');
const world = new Holidays('JP', { types: ['public'] });
const days = { japanese: [], table: [], world: [] };
for (let year = 2024; year <= 2050; year++) {
    for (const h of japanese.getHolidaysOf(year))
        days.japanese.push(`${year}-${two(h.month)}-${two(h.date)}`);
    for (const h of world.getHolidays(year))
        days.world.push(h.date.slice(0, 10));
}
days.table = Object.keys(table).filter((d) => d >= '2024' && d < '2051');
for (const [name, list] of Object.entries(days)) {
    const week = list.filter((d) => new Date(d).getUTCDay() % 6 !== 0);
    writeFileSync(name, [...new Set(week)].sort().join('\n') + '\n');
}
EOF
node npm.cjs || exit 1
cat >debian.py <<'EOF'
import holidays
from workalendar.asia import Japan

def write(name, days):
    days = sorted({str(d) for d in days if d.weekday() < 5})
    open(name, "w").write("\n".join(days) + "\n")

years = range(2024, 2051)
write("workalendar", (d for y in years for d, _ in Japan().holidays(y)))
write("holidays", holidays.Japan(years=years))
EOF
PYTHONPATH=$tmp/root/usr/lib/python3/dist-packages \
    /usr/bin/python3 -W ignore debian.py || exit 1

missing() {
    comm -23 japanese "$1" | tr '\n' ' ' | sed 's/ $//'
}
{
    echo "weekdays: $(grep -c . japanese)"
    for name in table world holidays workalendar; do
        echo "$name: $(comm -23 japanese $name | grep -c .) missing," \
            "$(comm -13 japanese $name | grep -c .) too many"
    done
    echo "world: $(missing world)"
    echo "holidays: $(missing holidays)"
    echo "workalendar in 2026: $(comm -23 japanese workalendar | grep ^2026 |
        tr '\n' ' ' | sed 's/ $//')"
} >seen

cat >expected <<'EOF'
weekdays: 393
table: 0 missing, 0 too many
world: 2 missing, 0 too many
holidays: 4 missing, 0 too many
workalendar: 52 missing, 0 too many
world: 2032-09-21 2049-09-21
holidays: 2025-02-24 2031-02-24 2042-02-24 2048-02-24
workalendar in 2026: 2026-05-06 2026-09-22
EOF
cat seen
diff -u expected seen || exit 1
echo "as stated"
