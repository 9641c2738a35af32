#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the sources do not hold: goto, banned calls, included .c files, a second spelling of what has
# one; and what each file holds: a licence line, and a run bit where it is a script.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 20; bad=1; }; }
sources=$(find . \( -path './build*' -o -path './.*' \) -prune -o -name '*.[ch]' -print | sed 's#^\./##' | sort)
program=$(echo "$sources" | grep -vE '^(tests|benchmarks)/')

say 'goto' "$(grep -nE '^\s*goto\s' $sources)"
say 'banned call' "$(grep -nE '(^|[^_a-z])(strcpy|strcat|strncpy|sprintf|strtok|atoi|scanf|gmtime|localtime|strerror|rand|signal|alloca)\(' $sources)"
say 'an included .c file' "$(grep -nE '#include ".*\.c"' $sources)"
say 'a status is asked for as such: if (status), if (!status)' \
  "$(grep -nE '^\s*(\} )?(else )?(if|while|for) \((.*[^.>a-z_])?status [!=]= STATUS_OK' $sources)"
say 'a section rule is one line: /* ---- what ---- */' \
  "$(grep -nE '^\s*/\* ?-{2,}' $sources | grep -vE '/\* ---- [^-].* ---- \*/$')"
say 'a path has PATH_MAX bytes, or PATH_ROOM where a name is joined to it (base/path.h)' \
  "$(grep -nE '\bchar ([a-z_]+\[[^]]*\], )*([a-z_]*_)?(path|folder|dir|file)\[' $program |
    grep -vE 'char ([a-z_]+\[PATH_(MAX|ROOM)\], )*[a-z_]+\[PATH_(MAX|ROOM)\];')"
say 'a log line is one sentence in lower case without a stop, then key=value' "$(
  for file in $program; do
    awk -v file="$file" '
      /(^|[^a-z_])log_line\(/ && !/__attribute__/ { line = NR; text = "" }
      line { text = text $0 }
      line && /;/ {
        match(text, /"[^"]*/)
        first = substr(text, RSTART + 1, RLENGTH - 1)
        if ((first ~ /^[A-Z]/ && first !~ /^(Redis|JSON|TLS|HTTP|SIG[A-Z]+) /) ||
            text ~ /(\.|\\n)"[,)]/ || text ~ /\. [a-z_]+=%/)
          print file ":" line ":" text
        line = 0
      }' "$file"
  done)"
for f in $sources; do
  read -r first < "$f"
  case $first in *'SPDX-License-Identifier: Apache-2.0'*) ;; *) echo "$f: no SPDX line"; bad=1 ;; esac
done
for f in script/* .ci/run tests/flow/*.sh tests/tree/check_*.sh; do
  [ ! -f "$f" ] || [ "${f##*.}" = md ] || [ "$(head -c 2 "$f")" != '#!' ] || [ -x "$f" ] ||
    { echo "$f: no run bit"; bad=1; }
done
exit $bad
