#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The README's recording of a first incident is what the program still prints.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
timeout 120 "$root/script/recording" "$tocsin" > "$flow_dir/now" 2> "$flow_dir/err" || flow_fail "it cannot be recorded"
sed -n '/^<!-- recording -->$/,/^<!-- end of recording -->$/p' "$root/README.md" | sed '1,2d' | head -n -2 > "$flow_dir/readme"
[ -s "$flow_dir/readme" ] || flow_fail "the README has no recording"
diff "$flow_dir/readme" "$flow_dir/now" || flow_fail "the README shows what is no longer true: script/recording BINARY"
flow_note "the README's recording is true"
