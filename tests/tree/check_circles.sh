#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No file calls, over whatever others, back into itself. check_circles.sh BUILD
set -u
build=$(readlink -f "${1:?the build folder}") || exit 2
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
. tests/tree/symbols.sh

found=$(symbols "$build")
[ -n "$found" ] || { echo "no objects below $build: build first"; exit 2; }
# what is left of the links when files that call none, or that none calls, are taken away
echo "$found" | links | awk '
  { edge[$1, $2] = edge[$1, $2] " " $3; from[$1 SUBSEP $2] = $1; to[$1 SUBSEP $2] = $2 }
  END {
    do {
      removed = 0
      split("", calls); split("", called)
      for (e in edge) { calls[from[e]] = 1; called[to[e]] = 1 }
      for (e in edge)
        if (!(to[e] in calls) || !(from[e] in called)) { delete edge[e]; removed = 1 }
    } while (removed)
    for (e in edge)
      print "  " from[e] " -> " to[e] ":" edge[e]
  }' | sort > "/tmp/circles.$$"
bad=0
if [ -s "/tmp/circles.$$" ]; then
  echo "files that call each other in a circle (or lie between two):"
  cat "/tmp/circles.$$"
  bad=1
fi
rm -f "/tmp/circles.$$"
exit $bad
