#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may use whom, by includes and by linked symbols. check_layers.sh BUILD
set -u
build=$(readlink -f "${1:?the build folder}") || exit 2
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
. tests/tree/symbols.sh

# FOLDER : the folders it may use beside itself and base. A file in none of them is refused. Of
# another stage (the first part of the path) only its public header is included, STAGE/STAGE.h,
# which a stage's own folders may include as well: it is what they implement.
table='
  base            :
  journal         :
  ingest          : ingest/format ingest/door ingest/file ingest/journald ingest/kafka ingest/webhook
  ingest/format   :
  ingest/door     :
  ingest/file     : ingest/door
  ingest/journald : ingest/door
  ingest/kafka    : ingest/door
  ingest/webhook  : ingest/door ingest/file
  rules           : rules/lint rules/read rules/match rules/decode
  rules/lint      : rules/read rules/match rules/decode
  rules/read      : rules/match rules/decode
  rules/match     : rules/decode
  rules/decode    :
  correlator      :
  incidents       : incidents/view incidents/alert incidents/decide incidents/outbox incidents/state incidents/store incidents/model
  incidents/view  : incidents/store incidents/model
  incidents/alert : incidents/decide incidents/outbox incidents/state incidents/store incidents/model
  incidents/decide : incidents/outbox incidents/state incidents/store incidents/model
  incidents/outbox : incidents/state incidents/store incidents/model
  incidents/state : incidents/store incidents/model
  incidents/store : incidents/model
  incidents/model :
  sinks           : incidents
  console         : incidents
  app             : journal ingest rules correlator incidents sinks console
'
# Not part of the program; they may use all of it, and nothing of it uses them.
aside='^(tests|benchmarks)/'

bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 40; bad=1; }; }

sources=$(find . \( -path './build*' -o -path './.*' \) -prune -o -name '*.[ch]' -print |
  sed 's#^\./##' | grep -vE "$aside" | sort)
# judge FROM-FILE TO-FILE WHY < edges : those that no row allows
judge() {
  awk -v table="$table" -v kind="$1" '
    function folder(path) { return sub(/\/[^\/]*$/, "", path) ? path : "." }
    function stage(path) { sub(/\/.*/, "", path); return path }
    BEGIN {
      count = split(table, rows, "\n")
      for (i = 1; i <= count; i++) {
        size = split(rows[i], words, /[ :]+/)
        for (k = 2; k <= size; k++) {
          covered[words[2]] = 1
          if (words[k] != "")
            may[words[2], words[k]] = 1
        }
        may[words[2], "base"] = 1
      }
    }
    {
      from = folder($1); to = folder($2); own = stage($1) == stage($2)
      face = stage($2) "/" stage($2) ".h"
      if (!(from in covered) || from == to)
        next
      if (kind == "include" && own && $2 == face)
        next
      if (kind == "include" && !own && to != "base")
        is_allowed = $2 == face && (from, stage($2)) in may
      else
        is_allowed = (from, own ? to : stage($2)) in may
      if (!is_allowed)
        print "  " $1 " -> " $2 (NF > 2 ? " (" $3 ")" : "")
    }'
}

rows=$(echo "$table" | sed -nE 's/^ *([a-z/]+) +:.*/\1/p')
say 'a file in a folder that the table has no row for' \
  "$(for file in $sources; do dirname "$file"; done | sort -u | grep -vxF "$rows" | sed 's/^/  /')"
say 'a row for a folder that is not there' "$(for row in $rows; do [ -d "$row" ] || echo "$row"; done)"
say 'an include that the table does not allow' \
  "$(grep -HoE '^ *# *include +"[^"]+"' $sources | sed -E 's/^([^:]+):.*"([^"]+)"/\1 \2/' |
    judge include)"
found=$(symbols "$build")
[ -n "$found" ] || { echo "no objects below $build: build first"; exit 2; }
say 'a call or an object that the table does not allow' "$(echo "$found" | links | judge link)"
exit $bad
