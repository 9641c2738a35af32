#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The clock is moved under a running program: an alert that nobody repeats ends when its time is
# over, an exception of a rule ends with its day, and what is received is stamped by the new time.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v curl > /dev/null || flow_skip "no curl here"
command -v "$python" > /dev/null || flow_skip "no python3 here"
flow_clock_begin
mkdir "$flow_dir/rules"
cat > "$flow_dir/rules/login.yml" << 'EOF'
title: Login
name: login
logsource: {product: linux}
detection: {s: {user: dave}, condition: s}
level: low
EOF
cat > "$flow_dir/overrides.yml" << EOF
login:
  not: {match: {user: dave}, owner: ada, reason: on holiday, end: $(flow_date 86400 %F)}
EOF
flow_config << EOF
rules: ['$flow_dir/rules']
overrides: '$flow_dir/overrides.yml'
sources:
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start --detections "$flow_dir/detections"
say() { # say TEXT : a login of dave, stamped by the program's clock
  exec 9<> "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
  echo "<38>1 $(flow_date) web1 sshd 7 - - Accepted password for dave from 198.51.100.1 port 22 ssh2 $1" >&9
  exec 9>&-
}
received() { "$tocsin" search --data "$flow_dir/data" --json "$1" | sed -n 's/.*"received": *"\([^"]*\)".*/\1/p'; }
is_received() { [ -n "$(received "$1")" ]; }
incidents() { "$tocsin" incidents --url "$flow_url" --json "$@"; }
has() { incidents --state "$1" | grep -q "$2"; }

curl -fsS -X POST "$flow_url/api/v2/alerts" -H 'Content-Type: application/json' \
  -d '[{"labels":{"alertname":"DiskFull","instance":"db9:9100","severity":"critical"}}]' > /dev/null ||
  flow_fail "an alert is refused"
flow_wait 10 has open DiskFull || flow_fail "the alert opens nothing: $(incidents)"
say before
flow_wait 10 is_received before || flow_fail "the first login does not come"
grep -q . "$flow_dir/detections" && flow_fail "the exception does not hold: $(cat "$flow_dir/detections")"
flow_note "an alert fires, an exception holds"

flow_clock_move $((3 * 86400))
moved=$(flow_date 0 %FT%T)
flow_wait 10 has resolved DiskFull || flow_fail "three days on, an alert that nobody repeats still fires: $(incidents)"
flow_note "three days on, the alert has ended by itself"
say after
flow_wait 10 grep -q '"name":"login"' "$flow_dir/detections" || flow_fail "the exception did not end"
flow_note "three days on, the exception has ended by itself"
[[ $(received after) > $moved ]] || flow_fail "received at $(received after), not after $moved"
flow_note "what comes is stamped by the clock that was moved"
flow_stop || flow_fail "SIGTERM did not end with 0"
