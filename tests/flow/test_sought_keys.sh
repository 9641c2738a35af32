#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keys that somebody sought with the program's own fixed hash, so that they fall together: what they
# give is the same bytes in every process, whatever secret its tables are laid out by.
# (base/hash.c stands alone, so that anybody can seek them; what they cost is test_hash's matter.)
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
root=$(dirname "$(readlink -f "$0")")/../..
command -v cc > /dev/null || flow_skip "no C compiler here"
cat > "$flow_dir/seek.c" << 'EOF'
#include "base/hash.h"
#include <stdio.h>

/* Addresses and names whose hashes agree in their low bits. */
int main(void)
{
    for (unsigned i = 0, found = 0; found < 3000; i++) {
        char name[32];
        size_t len = (size_t)snprintf(name, sizeof name, "h%u.example", i);
        if (hash_bytes(name, len, 0) % 256)
            continue;
        found++;
        for (int k = 0; k < 6; k++)
            printf("<86>1 2026-11-28T11:58:%02dZ %s sshd 1 - - Failed password for root from 203.0.%u.%u port 4 ssh2\n",
                   k, name, found / 256 % 256, found % 256);
    }
    return 0;
}
EOF
cc -I "$root" -o "$flow_dir/seek" "$flow_dir/seek.c" "$root/base/hash.c" || flow_fail "hash.c does not stand alone"
"$flow_dir/seek" > "$flow_dir/log"
for run in 1 2 3; do
  "$tocsin" replay --rules share --workers "$run" --detections "$flow_dir/detections$run" \
    --incidents "$flow_dir/incidents$run" "$flow_dir/log" || flow_fail "replay"
  cmp -s "$flow_dir/detections1" "$flow_dir/detections$run" && cmp -s "$flow_dir/incidents1" "$flow_dir/incidents$run" ||
    flow_fail "another process, another answer"
done
[ "$(wc -l < "$flow_dir/detections1")" -ge 3000 ] || flow_fail "$(wc -l < "$flow_dir/detections1") detections"
flow_note "sought keys: the same bytes from three processes"
