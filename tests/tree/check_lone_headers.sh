#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone. check_lone_headers.sh [BUILD [HEADER...]]
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
headers=("${@:2}")
[ ${#headers[@]} -gt 0 ] ||
  mapfile -t headers < <(find . \( -path './build*' -o -path './.*' -o -path ./tests \) -prune -o -name '*.h' -print | sed 's#^\./##' | sort)
said=$(printf '%s\n' "${headers[@]}" | xargs -P 2 -I {} sh -c '
  gcc -std=c11 -D_GNU_SOURCE -I. -fsyntax-only -x c -include "{}" /dev/null 2> /dev/null ||
    { echo "{} does not compile alone:"; echo "#include \"{}\"" | gcc -std=c11 -D_GNU_SOURCE -I. -fsyntax-only -x c - 2>&1 | head -n 5; }')
[ -z "$said" ] || { echo "$said"; exit 1; }
