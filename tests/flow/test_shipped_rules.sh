#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What ships is checked without a word, its timelines pass, and over a million real sshd lines that
# hold guessing but no break-in it opens no incident (with TOCSIN_CORPORA).
set -eu
tocsin="$1/app/tocsin"
share=$(cd "$(dirname "$0")/../.." && pwd)/rules/share
"$tocsin" check --json "$share" | grep '"errors":0,"warnings":0' >/dev/null
"$tocsin" test "$share" | tail -n 1
[ -n "${TOCSIN_CORPORA:-}" ] || { echo "skipped: real lines (no TOCSIN_CORPORA)"; exit 0; }
found=$("$tocsin" replay --rules "$share/rules" --incidents - \
    "$TOCSIN_CORPORA/sshd/slice_1m.log.gz" | grep -c '"kind":"incident"' || true)
echo "$found incidents over a million lines without a break-in"
[ "$found" -eq 0 ]
