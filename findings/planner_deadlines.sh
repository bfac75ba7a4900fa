#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# GNOME Planner 0.14.91 reads every date constraint of MS Project XML but one
# as "start no earlier than": a task that must be finished by a date is then
# not allowed to begin before that date.
#
# Versions: planner-data 0.14.91-2 of Debian 12, whose stylesheet
# msp2planner.xsl is Planner's import of MS Project XML; xsltproc of Debian 12
# applies it as Planner does.
#
# ConstraintType of MS Project XML, and what Planner's file says of it:
#
#   0 as soon as possible       nothing
#   1 as late as possible       start-no-earlier-than, with the date "Z"
#   2 must start on             must-start-on
#   3 must finish on            start-no-earlier-than the finish
#   4 start no earlier than     start-no-earlier-than
#   5 start no later than       start-no-earlier-than the latest start
#   6 finish no earlier than    start-no-earlier-than the finish
#   7 finish no later than      start-no-earlier-than the latest finish
#
# So 5 and 7 turn round: upper limits become lower limits.  A ten-day task that
# is to be finished by 30 September may not begin before 30 September in
# Planner's file, and nobody is told.  Also seen: a task without the element
# Milestone, which may be left out (type 0 below), becomes a milestone.
#
# Why it matters: plans are handed on between tools as MS Project XML.  An
# import that cannot keep a constraint does better to drop it and say so than
# to take the nearest kind it has.
#
# Exits 0 if all is as stated, 1 if something changed, 2 if nothing could be
# fetched.  Needs Debian 12 with current package lists; installs nothing.
set -u
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2

apt-get download planner-data=0.14.91-2 xsltproc libxslt1.1 libxml2 libicu72 \
    >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do
    dpkg -x "$deb" root || exit 2
done

{
    echo '<Project xmlns="http://schemas.microsoft.com/project">'
    echo '<Title>Demo</Title><StartDate>2026-09-01T08:00:00</StartDate><Tasks>'
    for type in 0 1 2 3 4 5 6 7; do
        cat <<EOF
<Task><UID>$type$type</UID><ID>1$type</ID><Name>type $type</Name>
<OutlineNumber>$type</OutlineNumber><OutlineLevel>1</OutlineLevel>
<Start>2026-09-01T08:00:00</Start><Finish>2026-09-14T17:00:00</Finish>
<Duration>PT80H0M0S</Duration><ConstraintType>$type</ConstraintType>
EOF
        [ $type -gt 1 ] &&
            echo '<ConstraintDate>2026-09-30T17:00:00</ConstraintDate>'
        [ $type -ne 0 ] && echo '<Milestone>0</Milestone>'
        echo '</Task>'
    done
    echo '</Tasks></Project>'
} >plan.xml

LD_LIBRARY_PATH=$(echo "$tmp"/root/usr/lib/*-linux-gnu*) \
    "$tmp/root/usr/bin/xsltproc" \
    root/usr/share/planner/stylesheets/msp2planner.xsl plan.xml >planner.xml ||
    exit 1
sed -n 's/.*<task .*name="\([^"]*\)".* type="\([^"]*\)".*/\1 \2/p
        s/.*<constraint type="\(.*\)" time="\(.*\)".*/    \1 \2/p' \
    planner.xml >seen

cat >expected <<'EOF'
type 0 milestone
type 1 normal
    start-no-earlier-than Z
type 2 normal
    must-start-on 20260930T170000Z
type 3 normal
    start-no-earlier-than 20260930T170000Z
type 4 normal
    start-no-earlier-than 20260930T170000Z
type 5 normal
    start-no-earlier-than 20260930T170000Z
type 6 normal
    start-no-earlier-than 20260930T170000Z
type 7 normal
    start-no-earlier-than 20260930T170000Z
EOF
cat seen
diff -u expected seen || exit 1
echo "as stated"
