#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the program keeps is for its user alone: files in a folder that was there before, memory.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
umask 022
flow_config << EOF
sources: []
http: {listen: '127.0.0.1:0'}
EOF
mkdir -m 755 "$flow_dir/data"
flow_start
open=$(find "$flow_dir/data" -mindepth 1 -perm /007 ! -type l)
[ -z "$open" ] || flow_fail "others can read: $open"
for pid in "$flow_pid" $(cat "$flow_dir/data/redis.lock"); do
  grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits" || flow_fail "$pid may leave a core file"
done
flow_stop || flow_fail "SIGTERM does not end with 0"
open=$(find "$flow_dir/data" -mindepth 1 -perm /007 ! -type l)
[ -z "$open" ] || flow_fail "others can read afterwards: $open"
chmod 777 "$flow_dir/data"
"$tocsin" run --config "$flow_dir/tocsin.yml" --data "$flow_dir/data" > "$flow_dir/said" 2>&1 &&
  flow_fail "a folder that everybody writes in is taken"
grep -q 'others may write in .* (mode 777)' "$flow_dir/said" || flow_fail "it is not said why: $(cat "$flow_dir/said")"
grep -q '^LimitCORE=0$' "$(dirname "$(readlink -f "$0")")/../../packaging/tocsin.service" || flow_fail "the unit may leave a core file"
flow_note "no file and no core file for others"
