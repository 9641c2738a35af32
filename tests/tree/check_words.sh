#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tree does not hold: goto, banned calls, headers that do not stand alone, files without a
# licence line, scripts without a run bit, included .c files.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
build=${1:-build}
bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 20; bad=1; }; }
sources=$(git ls-files '*.c' '*.h')
say 'goto' "$(grep -nE '^\s*goto\s' $sources)"
say 'banned call' "$(grep -nE '(^|[^_a-z])(strcpy|strcat|strncpy|sprintf|strtok|atoi|scanf|gmtime|localtime|strerror|rand|signal|alloca)\(' $sources)"
say 'an included .c file' "$(grep -nE '#include ".*\.c"' $sources)"
for f in $sources; do
  head -n 1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$f: no SPDX line"; bad=1; }
done
for f in script/* .ci/run tests/flow/*.sh tests/tree/*.sh; do
  [ ! -f "$f" ] || [ "${f##*.}" = md ] || ! head -c 2 "$f" | grep -q '#!' || [ -x "$f" ] ||
    { echo "$f: no run bit"; bad=1; }
done
flags=$(pkg-config --cflags yaml-0.1 hiredis jansson 2> /dev/null)
for f in $(git ls-files '*.h' | grep -v '^tests/'); do
  echo "#include \"$f\"" | gcc -std=c11 -D_GNU_SOURCE -I. $flags -fsyntax-only -x c - 2> /tmp/lone.$$ ||
    { echo "$f does not compile alone:"; head -n 5 /tmp/lone.$$; bad=1; }
done
rm -f /tmp/lone.$$
exit $bad
