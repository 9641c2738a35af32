#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Global symbols: each is named after its file, each is used by another, and none is mutable.
# check_symbols.sh BUILD
set -u
build=$(readlink -f "${1:?the build folder}") || exit 2
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
. tests/tree/symbols.sh

# Names that do not begin with their file's stem, beside those of the stage's public header.
strangers='
  base/json_string.c json_unescape
  base/record.c batch_add
  base/record.c batch_free
  base/record.c batch_new
  base/record.c batch_reset
'
# The clock that tests set is in test builds alone, and it is theirs: the process's one, asked for by them.
of_test_builds='base/test_clock.c '

# Asked for by their own file and by tests alone, or by their own file alone, and why they are global.
alone='
  console/admission.c admission_is_local  a row for each kind of name that reaches only this machine
  correlator/shard.c shard_depth          how far the chains have come, after memory failed
  ingest/file/file_reader.c file_reader_bytes   what came out of the compressed input
  journal/crc.c crc_by_table              the way of machines without the instruction
  journal/journal.c journal_time_us       that time never goes back
  journal/journal.c journal_instance      that two journals differ, and one stays itself
  rules/match/entities.c entities_is_nobody     a row for each value that nobody is charged for
  rules/decode/time_zone.c time_zone_read  a row for each rule of a zone, and files that are damaged
  rules/ruleset.c ruleset_lateness_us     of all correlations, after overrides
  base/mailbox.c mailbox_send_wait        a sender that waits, as a test of many threads needs it
  base/hash.c hash_reseed                 that no output hangs on the secret of the tables
'
# Mutable, and why: the logger is the process'"'"'s one; the secret of its tables is drawn before main.
mutable='
  base/hash.c seed
  base/log.c logger
'

bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 40; bad=1; }; }
listed() { echo "$1" | sed -nE 's/^ +([^ ]+ [^ ]+).*/\1/p'; }

found=$(symbols "$build")
[ -n "$found" ] || { echo "no objects below $build: build first"; exit 2; }
defined=$(echo "$found" | awk '$2 ~ /[A-TV-Z]/ && $3 !~ /^(__|_GLOBAL_)/ {print $1, $3}' | sort -u)

# stem_verb, or a name that the public header of the stage declares
is_strange() {
  local file name stage stem
  while read -r file name; do
    stem=$(basename "$file" .c)
    case $name in "$stem" | "$stem"_*) continue ;; esac
    stage=${file%%/*}
    grep -qsE "(^|[^a-z0-9_])$name\(" "$stage/$stage.h" || echo "  $file $name"
  done
}
say 'not named after its file' \
  "$(echo "$defined" | grep -vxF "$(listed "$strangers")" | grep -vE " main\$" | is_strange)"

asked=$(echo "$found" | awk '$2 == "U" {print $3}' | sort -u)
of_tests=$(symbols "$build" tests benchmarks | awk '$2 == "U" {print $3}' | sort -u)
unused=$(echo "$defined" | grep -v "^$of_test_builds" | awk '$2 != "main"' | awk 'NR == FNR {asked[$1]; next} !($2 in asked)' \
  <(echo "$asked") -)
say 'used by nothing, or by its own file alone (make it static)' \
  "$(echo "$unused" | grep -vxF "$(listed "$alone")" |
    awk 'NR == FNR { if (NF) asked[$1]; next } NF {print "  " $0 ($2 in asked ? " (but for tests)" : "")}' \
      <(echo "$of_tests") -)"
say 'in a list above, but not in the tree, or used by others now' \
  "$({ listed "$strangers" | grep -vxF "$defined"; listed "$alone" | grep -vxF "$unused"; } |
    sed 's/^/  /')"

# by section, not by the letter of nm: a const table of pointers shows as `d`
variables=$(for folder in $program_folders; do
  [ -d "$build/$folder/CMakeFiles" ] || continue
  (cd "$build" && find "$folder/CMakeFiles" -name '*.c.o' | made "$build" | xargs -r objdump -t) |
    awk -v folder="$folder" '
      /^[^ ]*\.c\.o: / {
        file = $1
        sub(/^[^\/]*\/CMakeFiles\/[^\/]*\.dir\//, "", file)
        sub(/\.o:$/, "", file)
      }
      / O (\.data|\.bss|\.tdata|\.tbss)/ && !/\.data\.rel\.ro/ {print folder "/" file, $NF}'
done | grep -vE '__gcov|asan|ubsan')
say 'mutable at file scope' "$(echo "$variables" | grep . | grep -v "^$of_test_builds" | grep -vxF "$(listed "$mutable")")"
exit $bad
