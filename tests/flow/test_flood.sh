#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A flood of new keys: its windows are forgotten at the ceiling, and that is said in the log and
# beside "ready"; memory stays where it is.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v curl > /dev/null || flow_skip "no curl here"
command -v "$python" > /dev/null || flow_skip "no $python here"
flow_config << EOF
rules: [share]
sources:
  - syslog_tcp: {listen: '127.0.0.1:0', durability: none}
http: {listen: '127.0.0.1:0'}
correlation: {memory: 2MiB}
EOF
flow_start
curl -fsS "$flow_url/readyz" | grep -qx '{"ready":true}' || flow_fail "it is not ready, or says more"
flood() { # flood FROM COUNT : a failed password each from an address of its own
  "$python" - "$(flow_port syslog-tcp)" "$1" "$2" << 'EOF'
import datetime, socket, sys
port, start, count = (int(x) for x in sys.argv[1:])
now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
s = socket.create_connection(('127.0.0.1', port))
for at in range(start, start + count, 1000):
    s.sendall(''.join(f'<86>1 {now} web sshd 1 - - Failed password for u{n} from 11.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255} port 4 ssh2\n'
                      for n in range(at, at + 1000)).encode())
EOF
}
processed() { [ "$(curl -fsS "$flow_url/metrics" | awk '/^tocsin_records_processed_total/ {print int($2)}')" -ge "$1" ]; }
flood 0 40000
flow_wait 60 processed 40000 || flow_fail "the flood was not decided"
flow_wait 20 grep -q 'too many windows at once.*forgotten=[1-9]' "$flow_dir/err" || flow_fail "the log says nothing"
flow_wait 20 sh -c "curl -fsS '$flow_url/readyz' | grep -q '\"ready\":true,\"details\":\"windows are forgotten'" ||
  flow_fail "readyz says nothing: $(curl -fsS "$flow_url/readyz")"
bytes=$(curl -fsS "$flow_url/metrics" | awk '/^tocsin_correlator_bytes\{/ {s += $2} END {print int(s)}')
[ "$bytes" -le $((2 << 20)) ] || flow_fail "$bytes bytes of windows"
flow_stop || flow_fail "SIGTERM does not end with 0"
flow_note "a flood that evicts windows is said"
