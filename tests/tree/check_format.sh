#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source is as clang-format 14 writes it (.clang-format; other versions write otherwise).
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
command -v clang-format-14 > /dev/null || { echo 'skipped: no clang-format-14'; exit 77; }
bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 40; bad=1; }; }
sources=$(find . \( -path './build*' -o -path './.*' \) -prune -o -name '*.[ch]' -print | sed 's#^\./##')
say 'not as clang-format-14 -i writes it' "$(
  echo "$sources" | xargs -n 40 -P 2 clang-format-14 --dry-run 2>&1 |
    sed -nE 's/^([^:]+:[0-9]+):[0-9]+: (warning|error): .*/  \1/p' | sort -u -t: -k1,1)"
exit $bad
