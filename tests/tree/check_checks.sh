#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The checks of the tree see the faults that they are for: each fault is planted in a copy, and the
# check that is for it fails and says which. check_checks.sh BUILD
set -u
build=$(readlink -f "${1:?the build folder}") || exit 2
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
. tests/tree/symbols.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -cf - --exclude=./build --exclude=./.git --exclude=./.cache --exclude='./*/share' --exclude=./tests/fuzz \
  --exclude=./tests/rules/mapping_events . | tar -xf - -C "$copy"
(cd "$build" && find . -name '*.c.o') | sed 's#^\./##' | while read -r object; do
  mkdir -p "$copy/build/${object%/*}"
  ln -s "$build/$object" "$copy/build/$object"
done
for written in "$build"/*/*.c; do # sources that the build wrote
  [ ! -e "$written" ] || cp "$written" "$copy/build/$(basename "$(dirname "$written")")/"
done
cd "$copy" || exit 2

bad=0
licence='/* SPDX-License-Identifier: Apache-2.0 */'
# plant FILE LINE... : a source of those lines; a .c is compiled into the copy's build
planted=()
plant() {
  local file=$1
  shift
  mkdir -p "$(dirname "$file")"
  printf '%s\n' "$licence" "$@" > "$file"
  planted+=("$file")
}
compile() { # compile FILE : as the build would have
  local stage=${1%%/*} object
  object=$(echo "build/$stage/CMakeFiles/"*.dir)/${1#*/}.o
  mkdir -p "$(dirname "$object")"
  gcc -std=c11 -D_GNU_SOURCE -I. -c -o "$object" "$1" || exit 2
  planted+=("$object")
}
# refused CHECK TEXT... : the check fails and says each text; then what was planted is gone
refused() {
  local said status text arguments=("$copy/build")
  [ "$1" != lone_headers ] || arguments+=("${planted[@]}")
  said=$("tests/tree/check_$1.sh" "${arguments[@]}" 2>&1)
  status=$?
  if [ $status = 77 ]; then
    echo "skipped: $1"
  elif [ $status != 1 ]; then
    echo "check_$1 gave $status, not 1:"
    echo "$said" | head -n 10
    bad=1
  fi
  for text in "${@:2}"; do
    [ $status = 77 ] || echo "$said" | grep -qF -- "$text" || { echo "check_$1 does not say: $text"; bad=1; }
  done
  rm -f "${planted[@]}"
  planted=()
}

# ---- who may use whom
plant rules/extra/planted.c 'int planted;'
plant rules/decode/planted_1.c '#include "rules/match/glob.h"'
plant app/planted.c '#include "rules/match/glob.h"'
plant ingest/format/planted.c '#include "tests/support/table.h"'
plant rules/decode/planted.c 'void matcher_free(void *m);' 'void planted(void);' \
  'void planted(void) { matcher_free(0); }'
compile rules/decode/planted.c
refused layers '  rules/extra' 'rules/decode/planted_1.c -> rules/match/glob.h' 'app/planted.c -> rules/match/glob.h' \
  'ingest/format/planted.c -> tests/support/table.h' \
  'rules/decode/planted.c -> rules/match/matcher.c (matcher_free)'
rmdir rules/extra

# ---- circles
plant base/planted.c 'void planter(void);' 'void planted(void);' 'void planted(void) { planter(); }'
plant base/planter.c 'void planter(void);' 'void planted(void);' 'void planter(void) { planted(); }'
compile base/planted.c
compile base/planter.c
refused circles 'base/planted.c -> base/planter.c: planter'

# ---- names, what nobody calls, what is mutable
plant base/planted.c 'void other_name(void);' 'void other_name(void) {}' \
  'void planted_alone(void);' 'void planted_alone(void) {}' \
  'int planted_next(void);' 'int planted_next(void) { static int n = 1; return n++; }'
compile base/planted.c
refused symbols '  base/planted.c other_name' '  base/planted.c planted_alone' 'base/planted.c n.'

# ---- libraries
plant console/planted.c '#include <curl/curl.h>'
plant ingest/file/planted.h '#include <zlib.h>'
plant base/planted.c '#include <uv.h>'
refused headers 'console/planted.c includes <curl/curl.h>' 'ingest/file/planted.h zlib.h' \
  'base/planted.c includes <uv.h>'

# ---- layout
plant base/planted.c 'int  planted ;'
refused format 'base/planted.c:2'

# ---- words
plant base/planted.c '    goto out;' '    strcpy(to, from);' '#include "base/text.c"' '/* ---- planted' \
  ' * ---- */' '    if (status != STATUS_OK)' '    char path[4200];' \
  '    log_line(LOG_INFO, "Kafka is gone.");'
plant base/planted.h '#pragma once'
sed -i 1d base/planted.h
plant tests/flow/planted.sh ''
sed -i '1s/.*/#!\/bin\/sh/' tests/flow/planted.sh
refused words 'planted.c:2:    goto' 'planted.c:3:    strcpy' 'planted.c:4:#include' 'planted.c:5:/* ---- planted' \
  'planted.c:7:    if (status' 'planted.c:8:    char path' 'planted.c:9:    log_line' \
  'base/planted.h: no SPDX line' 'tests/flow/planted.sh: no run bit'

plant base/planted.h '#pragma once' 'size_t planted_size(void);'
refused lone_headers 'base/planted.h does not compile alone'
exit $bad
