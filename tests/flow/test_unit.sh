#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The systemd unit: no fault that systemd knows, an exposure below 3.0, and every system call that
# the program and its redis-server make, from the start to a told incident and the stop, is one that
# the unit allows.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
unit=$(dirname "$(readlink -f "$0")")/../../packaging/tocsin.service
command -v systemd-analyze > /dev/null || flow_skip "no systemd here"

sed "s|^ExecStart=/usr/bin/tocsin|ExecStart=$tocsin|" "$unit" > "$flow_dir/tocsin.service"
systemd-analyze verify --man=no "$flow_dir/tocsin.service" > "$flow_dir/verify" 2>&1
! grep tocsin.service "$flow_dir/verify" || flow_fail "systemd finds fault with the unit"
systemd-analyze security --offline=true --threshold=29 "$unit" > "$flow_dir/exposure" 2>&1 ||
  flow_fail "exposed: $(tail -n 1 "$flow_dir/exposure")"
flow_note "$(tail -n 1 "$flow_dir/exposure")"

command -v strace > /dev/null || flow_skip "the rest: no strace here"
! nm "$tocsin" 2> /dev/null | grep -q ' __asan_init' || flow_skip "the rest: a sanitizer makes calls of its own"
strace -o /dev/null true 2> /dev/null || flow_skip "the rest: nobody may trace here"
members() { # members SET : the calls of a set, those of the sets in it included
  systemd-analyze syscall-filter "$1" | sed -n 's/^ \+\([^ #]\+\).*/\1/p' | while read -r call; do
    case $call in
    @*) members "$call" ;;
    *) echo "$call" ;;
    esac
  done
}
members @default > "$flow_dir/allowed" # always
for set in $(sed -n 's/^SystemCallFilter=//p' "$unit"); do
  case $set in
  ~*) members "${set#\~}" | sort -u | comm -23 <(sort -u "$flow_dir/allowed") - > "$flow_dir/rest"
    mv "$flow_dir/rest" "$flow_dir/allowed" ;;
  *) members "$set" >> "$flow_dir/allowed" ;;
  esac
done
grep -qx openat "$flow_dir/allowed" || flow_fail "the unit's filter was not read"
real=$tocsin
cat > "$flow_dir/traced" << EOF
#!/bin/sh
exec strace -D -f -qq -o '$flow_dir/trace' '$real' "\$@"
EOF
chmod +x "$flow_dir/traced"
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
tocsin=$flow_dir/traced
flow_start
tocsin=$real
say() { # say TEXT
  echo "<86>$(flow_date 0 '%b %e %H:%M:%S') web1 sshd[100]: $1" > "/dev/udp/127.0.0.1/$(flow_port syslog-udp)"
}
for n in 1 2 3 4 5 6; do say "Failed password for root from 203.0.113.7 port 4000$n ssh2"; done
say "Accepted password for root from 203.0.113.7 port 40010 ssh2"
is_told() { grep -q 203.0.113.7 "$flow_dir/data/incidents.jsonl"; }
flow_wait 60 is_told || flow_fail "no incident"
kill -HUP "$flow_pid"
has_reloaded() { curl -sf "$flow_url/metrics" | grep -q '^tocsin_reloads_total [1-9]'; }
flow_wait 60 has_reloaded || flow_fail "SIGHUP reloads nothing"
flow_stop || flow_fail "SIGTERM did not end with 0"
# the tracer may write its last lines after the program's end
first=$(head -n 1 "$flow_dir/trace" | cut -d ' ' -f 1)
flow_wait 60 grep -qE "^$first +exit_group\(0\)" "$flow_dir/trace" || flow_fail "the trace has no end"
sed -E 's/^[0-9]+ +//; s/^<\.\.\. ([a-z0-9_]+) resumed.*/\1(/' "$flow_dir/trace" |
  grep -oE '^[a-z0-9_]+\(' | tr -d '(' | sort -u > "$flow_dir/made"
[ "$(wc -l < "$flow_dir/made")" -gt 40 ] || flow_fail "only these calls were seen: $(cat "$flow_dir/made")"
denied=$(sort -u "$flow_dir/allowed" | comm -13 - "$flow_dir/made")
[ -z "$denied" ] || flow_fail "the unit denies what is needed: $(echo $denied)"
flow_note "all $(wc -l < "$flow_dir/made") system calls are allowed"
