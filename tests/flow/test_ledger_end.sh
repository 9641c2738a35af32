#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a chain of hashes alone does not show: a cut tail, a chain written anew, a ledger that is gone.
# `verify` names it, while the program runs and after a restart, and the record goes on.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v redis-cli > /dev/null || flow_skip "no redis-cli here"
flow_config << EOF
sources: []
http: {listen: '127.0.0.1:0'}
EOF
report() {
  [ "$(curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url/api/v1/incidents" \
    -H 'Content-Type: application/json' -d "{\"title\":\"$1\",\"by\":\"ada\"}")" = 201 ] ||
    flow_fail "$1: $(cat "$flow_dir/answer")"
}
begin() {
  flow_start
  socket=$(sed -n 's/^unixsocket "\(.*\)"/\1/p' "$(find "$flow_dir/data" -name redis.conf)")
}
are_told() { [ "$(redis-cli -s "$socket" xrange tocsin:ledger - + | grep -c '"kind":"delivery.delivered"')" = "$1" ]; }
fresh() { # some records, whole
  rm -rf "$flow_dir/data"
  : > "$flow_dir/err"
  begin
  for n in 1 2 3; do report "Case $n"; done
  flow_wait 10 are_told 3 || flow_fail "three incidents are not told"
  whole
  last=$(sed -n 's/^{"records":\([0-9]*\).*/\1/p' "$flow_dir/verified")
}
redis() { redis-cli -s "$socket" "$@" > "$flow_dir/redis"; }
verify() { "$tocsin" verify --url "$flow_url" --json > "$flow_dir/verified"; }
whole() {
  verify || flow_fail "it is whole, and verify says: $(cat "$flow_dir/verified")"
  grep -q '"live":{"sequence":' "$flow_dir/verified" || flow_fail "the live head was not asked: $(cat "$flow_dir/verified")"
  grep -q '"not_shown":' "$flow_dir/verified" || flow_fail "it does not tell what cannot be shown"
}
broken() { # broken FIRST_BAD WORDS
  verify && flow_fail "verify says that all is well: $(cat "$flow_dir/verified")"
  grep -q "\"first_bad\":$1,\"because\":\"[^\"]*$2" "$flow_dir/verified" ||
    flow_fail "want $1, $2: $(cat "$flow_dir/verified")"
}
restart() {
  flow_stop || flow_fail "SIGTERM did not end with 0"
  begin
  curl -fsS "$flow_url/readyz" > /dev/null || flow_fail "after a restart it is not ready"
}
goes_on() { # what is wrong stays wrong, and new incidents are written
  grep -q 'the ledger is not what was recorded' "$flow_dir/err" || flow_fail "the start does not say so"
  report 'Case after'
  broken "$1" "$2"
  restart
  report 'Case later'
  broken "$1" "$2"
  [ "$(grep -c 'the ledger is not what was recorded' "$flow_dir/err")" = 1 ] || flow_fail "it is said anew at each start"
  curl -fsS "$flow_url/api/v1/incidents" | grep -q 'Case later' || flow_fail "a new incident is not there"
  flow_stop || flow_fail "SIGTERM did not end with 0"
}

fresh
redis xdel tocsin:ledger "$last-0"
broken "$last" 'the running program wrote more'
restart
goes_on $((last + 1)) 'records are missing before it'
flow_note "a cut tail is named, and the record goes on behind it"

fresh
redis del tocsin:ledger
broken 1 'the running program wrote more'
restart
goes_on $((last + 1)) 'records are missing before it'
flow_note "a deleted ledger is named, and the record goes on"

fresh
"$python" - "$socket" "$last" << 'EOF' || flow_fail "the chain cannot be written anew"
import hashlib, json, subprocess, sys
def redis(*words): return subprocess.run(['redis-cli', '-s', sys.argv[1], *words], check=True, capture_output=True, text=True).stdout
head = bytes(32)
redis('del', 'tocsin:ledger')
for n in range(1, int(sys.argv[2]) + 1):
    record = json.dumps({'sequence': n, 'before': head.hex(), 'time': '2026-03-01T00:00:00.000000Z', 'kind': 'incident.opened'}, separators=(',', ':'))
    head = hashlib.sha256(b'\x01' + head + record.encode()).digest()
    redis('xadd', 'tocsin:ledger', f'{n}-0', 'r', record, 'h', head.hex())
EOF
broken "$last" 'the running program wrote: the chain was written anew'
restart
goes_on $((last + 1)) 'not those that were recorded'
flow_note "a chain that was written anew is named"

fresh
redis xdel tocsin:ledger 2-0
broken 3 'records are missing before it'
flow_note "a hole is named"
flow_stop || flow_fail "SIGTERM did not end with 0"
