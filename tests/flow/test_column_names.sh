#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Column names told in a stream's first lines (IIS, Zeek) say what its later lines mean: in replay,
# in a running program, and after it was killed and started again.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v "$python" > /dev/null || flow_skip "no python3 here"
cat > "$flow_dir/web.yml" << 'EOF'
title: Trace request
name: trace
logsource: {category: webserver}
detection: {s: {cs-method: TRACE, cs-uri-stem|startswith: /admin, c-ip|cidr: 192.0.2.0/24}, condition: s}
---
title: Odd name
name: odd
logsource: {product: zeek, service: dns}
detection: {s: {query|endswith: .odd.example, id.orig_h|exists: true}, condition: s}
EOF
# columns in an order that no pattern would guess
printf '%s\n' '#Version: 1.0' '#Fields: cs-method sc-status c-ip date time cs-uri-stem' \
  'TRACE 200 192.0.2.7 2025-10-10 13:55:36 /admin/x' 'GET 200 192.0.2.7 2025-10-10 13:55:37 /admin/x' \
  > "$flow_dir/iis.log"
printf '#path\tdns\n#fields\tts\tquery\tid.orig_h\n1760000000.5\ta.odd.example\t192.0.2.7\n' > "$flow_dir/dns.log"
"$tocsin" replay --rules "$flow_dir/web.yml" --detections "$flow_dir/replayed" "$flow_dir/iis.log" "$flow_dir/dns.log" ||
  flow_fail "replay"
[ "$(grep -c '"name":"trace"' "$flow_dir/replayed")" = 1 ] || flow_fail "IIS: $(cat "$flow_dir/replayed")"
grep -q '"time":"2025-10-10T13:55:36.000000Z".*"name":"trace"' "$flow_dir/replayed" || flow_fail "the time of the columns"
grep -q '"name":"odd"' "$flow_dir/replayed" || flow_fail "Zeek: $(cat "$flow_dir/replayed")"
# a header without a time does not move journal time: what lateness holds is put in order
cat > "$flow_dir/late.yml" << 'EOF'
title: First
name: first
logsource: {category: webserver}
detection: {s: {cs-uri-stem: /a}, condition: s}
---
title: Then
name: then
logsource: {category: webserver}
detection: {s: {cs-uri-stem: /b}, condition: s}
---
title: In order
name: order
correlation: {type: temporal_ordered, rules: [first, then], group-by: [c-ip], timespan: 1m}
tocsin: {lateness: 30s}
EOF
printf '%s\n' '#Version: 1.0' '#Fields: date time c-ip cs-method cs-uri-stem' \
  '2025-10-10 10:00:05 192.0.2.7 GET /b' '2025-10-10 10:00:00 192.0.2.7 GET /a' > "$flow_dir/late.log"
"$tocsin" replay --rules "$flow_dir/late.yml" --detections - "$flow_dir/late.log" > "$flow_dir/late" || flow_fail "replay"
grep -q '^{"line":3,' "$flow_dir/late" || flow_fail "lateness: $(cat "$flow_dir/late")"
flow_note "files are read by their own header"

flow_config << EOF
rules: ['$flow_dir/web.yml']
sources:
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
correlation: {checkpoint: 1s}
EOF
send() {
  "$python" -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
s.recv(1)' "$(flow_port syslog-tcp)"
}
checkpoints() { curl -fsS "$flow_url/metrics" | sed -n 's/^tocsin_checkpoints_total //p'; }
has_checkpoints() { [ "$(checkpoints)" -ge "$1" ]; }
flow_start --detections "$flow_dir/one"
send < "$flow_dir/iis.log"
flow_wait 10 grep -q '"name":"trace"' "$flow_dir/one" || flow_fail "a running program does not read the header"
was=$(checkpoints)
flow_wait 20 has_checkpoints $((${was:-0} + 2)) || flow_fail "no checkpoint is taken: $(curl -fsS "$flow_url/metrics" | grep -i checkpoint)"
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start --detections "$flow_dir/two"
echo 'TRACE 404 192.0.2.9 2025-10-10 14:00:00 /admin/y' | send
flow_wait 10 grep -q '2025-10-10T14:00:00.*"name":"trace"' "$flow_dir/two" || flow_fail "the header is forgotten after a kill"
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_note "a start after a kill goes on with the header"
