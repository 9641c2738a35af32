#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What ships is checked without a word, its timelines pass, and over a million real sshd lines that
# hold guessing but no break-in it opens no incident (with TOCSIN_CORPORA). A break-in is an incident
# however many others guess.
set -eu
tocsin="$1/app/tocsin"
share=$(cd "$(dirname "$0")/../.." && pwd)/rules/share
"$tocsin" check --json "$share" | grep '"errors":0,"warnings":0' >/dev/null
"$tocsin" test "$share" | tail -n 1
# break_in N: N sources guess at web1, then one guesses at db1 and gets in
break_in() {
  awk -v n="$1" 'BEGIN {
    line = "<86>1 2026-11-28T12:%02d:%02dZ %s sshd 1 - - %s password for root from %s port 4 ssh2\n"
    for (i = 0; i < n; i++)
      for (k = 0; k < 5; k++)
        printf line, i / 5000, i % 5000 * 60 / 5000, "web1", "Failed", "203.0." int(i / 250) "." i % 250 + 1
    for (k = 0; k < 8; k++)
      printf line, 6, 20 + k, "db1", "Failed", "198.51.100.9"
    printf line, 6, 30, "db1", "Accepted", "198.51.100.9"
  }'
}
for others in 0 1 51 490 520 2000 20000; do
  found=$(break_in $others | "$tocsin" replay --rules "$share/rules" --incidents - - |
      grep '"kind":"incident"' | grep -c '"value":"198.51.100.9"' || true)
  echo "$found incidents of a break-in beside $others other sources that guess"
  [ "$found" -eq 1 ]
done
[ -n "${TOCSIN_CORPORA:-}" ] || { echo "skipped: real lines (no TOCSIN_CORPORA)"; exit 0; }
found=$("$tocsin" replay --rules "$share/rules" --incidents - \
    "$TOCSIN_CORPORA/sshd/slice_1m.log.gz" | grep -c '"kind":"incident"' || true)
echo "$found incidents over a million lines without a break-in"
[ "$found" -eq 0 ]
