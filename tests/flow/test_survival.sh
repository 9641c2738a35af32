#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Windows survive a SIGKILL and a reload; a bad clock and a bad rule change nothing for others; what
# `run` decided, `replay --journal` decides again, byte for byte.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
cp "$(dirname "$(readlink -f "$0")")/../../benchmarks/rules/ssh_five_failures.yml" "$flow_dir/five.yml"
mkdir "$flow_dir/rules"
mv "$flow_dir/five.yml" "$flow_dir/rules/"
flow_config << EOF
rules: ['$flow_dir/rules']
sources:
  - syslog_tcp: {listen: '127.0.0.1:0', durability: sync}
http: {listen: '127.0.0.1:0'}
correlation: {checkpoint: 100ms, workers: 2, shards: 2}
EOF
began_s=$(flow_date 0 %s) # one moment for all: no slow machine stretches them over a window's end
fail_from() { # fail_from ADDRESS SECONDS_AHEAD : one failed password over TCP, and its arrival
  local stamp before
  before=$(counted)
  stamp=$(date -u -d "@$((began_s + ${2:-0}))" '+%Y-%m-%dT%H:%M:%SZ')
  exec 9<> "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
  echo "<38>1 $stamp web1 sshd 7 - - Failed password for root from $1 port 4242 ssh2" >&9
  exec 9>&-
  flow_wait 5 more_than "$before" || flow_fail "a line from $1 was not decided"
}
counted() { # lines that were parsed
  curl -fsS "$flow_url/metrics" |
    awk '/^tocsin_events_parsed_total\{format="rfc5424"\}/ {print $2}'
}
more_than() { [ "$(counted)" -gt "$1" ]; }
fired() { grep -c "\"src_ip\":\"$1\"" "$flow_dir/live.jsonl"; }
has_fired() { [ "$(fired "$1")" = "$2" ]; }

flow_start --detections "$flow_dir/live.jsonl"
for _ in 1 2 3 4; do fail_from 192.0.2.1; done
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start --detections "$flow_dir/live.jsonl"
has_fired 192.0.2.1 0 || flow_fail "four failures fired"
fail_from 192.0.2.1
flow_wait 5 has_fired 192.0.2.1 1 || flow_fail "four failures, a kill, a fifth: $(fired 192.0.2.1) detections"
flow_note "four failures, a kill, a fifth: one detection"

# a host three minutes ahead, among others whose windows go on
for n in 1 2 3 4; do
  fail_from 192.0.2.2
  fail_from 192.0.2.99 180
done
fail_from 192.0.2.2
flow_wait 5 has_fired 192.0.2.2 1 || flow_fail "a clock ahead changed another host's window"
flow_note "a host three minutes ahead changes nothing for another"

# a reload in the middle of a window; an unchanged correlation keeps it
for _ in 1 2 3; do fail_from 192.0.2.3; done
cat > "$flow_dir/rules/other.yml" << 'EOF'
title: Another rule
id: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d0001
status: test
logsource: {product: linux, service: sshd}
detection:
  selection: {message|contains: 'Accepted publickey'}
  condition: selection
level: low
EOF
kill -HUP "$flow_pid"
flow_wait 10 grep -q 'new rules rules=2' "$flow_dir/err" || flow_fail "SIGHUP did not reload"
fail_from 192.0.2.3
cat > "$flow_dir/rules/broken.yml" << 'EOF'
title: A broken rule
logsource: {product: linux}
detection:
  selection: {message|contians: 'x'}
  condition: selection
EOF
code=$(curl -s -o "$flow_dir/reload" -w '%{http_code}' -X POST "$flow_url/api/v1/reload")
[ "$code" = 200 ] && flow_fail "a broken rule was taken: $(cat "$flow_dir/reload")"
grep -q 'reload refused, the old rules stay' "$flow_dir/err" || flow_fail "the refusal is not in the log"
grep -q 'broken.yml:4:' "$flow_dir/err" || flow_fail "the refusal does not name file and line"
fail_from 192.0.2.3
flow_wait 5 has_fired 192.0.2.3 1 || flow_fail "the window did not live through the reloads"
flow_note "reloads keep windows; a broken rule keeps the old rules and says where it is broken"
rm "$flow_dir/rules/broken.yml" "$flow_dir/rules/other.yml"
flow_stop || flow_fail "SIGTERM did not end with 0"

# an undisturbed run: the journal gives the same bytes
rm -rf "$flow_dir/data"
flow_start --detections "$flow_dir/live.jsonl"
for n in 1 2 3 4 5 6 7; do
  fail_from 192.0.2.4
  fail_from 192.0.2.5
  fail_from 192.0.2.6 180 # clamped to its receipt, then as now
done
flow_wait 5 has_fired 192.0.2.6 1 || flow_fail "the second run did not fire"
flow_stop || flow_fail "SIGTERM did not end with 0"
for n in 1 2 4; do
  "$tocsin" replay --journal --data "$flow_dir/data" --rules "$flow_dir/rules" \
    --workers $n --shards $n > "$flow_dir/again.jsonl" || flow_fail "replay --journal"
  cmp "$flow_dir/live.jsonl" "$flow_dir/again.jsonl" || flow_fail "replay differs with $n workers"
done
[ "$(wc -l < "$flow_dir/live.jsonl")" = 3 ] || flow_fail "want 3 detections"
flow_note "replay --journal gives the live run's bytes with 1, 2 and 4 workers and shards"
