#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The webhooks' own port, where other machines come in: a key or an address, nothing but webhooks,
# any Host, requests of many records, TLS, and the shapes by which requests are smuggled.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
support=$(dirname "$(readlink -f "$0")")/../support
for program in curl "$python"; do
  command -v "$program" > /dev/null || flow_skip "no $program here"
done
config() { # config [options of webhooks]
  flow_config << EOF
sources: []
webhooks: {listen: '127.0.0.1:0'$1}
http: {listen: '127.0.0.1:0'}
EOF
}
door() { echo "http://127.0.0.1:$(flow_port webhooks)"; }
status_of() { curl -s -o "$flow_dir/answer" -w '%{http_code}' "$@"; }
want() { # want STATUS WHAT curl's arguments...
  local status
  status=$(status_of "${@:3}")
  [ "$status" = "$1" ] || flow_fail "$2: $status, not $1: $(head -c 300 "$flow_dir/answer")"
}
found() { "$tocsin" search --data "$flow_dir/data" "$1" 2> /dev/null | grep -c .; }

# ---- keys ----
config ''
flow_start
key=$("$tocsin" key add --data "$flow_dir/data" prometheus --scope alertmanager | grep -oE '[A-Za-z0-9]{32}' | head -n 1)
slow=$("$tocsin" key add --data "$flow_dir/data" slow --scope events --rate 1 | grep -oE '[A-Za-z0-9]{32}' | head -n 1)
[ -n "$key" ] && [ -n "$slow" ] || flow_fail "no keys"
alert='{"version":"4","groupKey":"g","alerts":[{"status":"firing","labels":{"alertname":"Down"}}]}'
events=/api/v1/events
am=/webhooks/alertmanager
# a running program sees new keys soon; those that come too early are turned away, and counted
rejected=3 # by what follows
is_taken() { # is_taken curl's arguments...
  [ "$(status_of "$@")" = 200 ] || { rejected=$((rejected + 1)) && false; }
}
flow_wait 10 is_taken -H "Authorization: Bearer $key" -d "$alert" "$(door)$am" || flow_fail "a new key is not seen"
flow_wait 10 is_taken -H "X-Api-Key: $slow" -d '{"n":1}' "$(door)$events" || flow_fail "the second key is not seen"
want 401 "no key" -d "$alert" "$(door)$am"
want 401 "a wrong key" -H "Authorization: Bearer ${key//[a-z]/x}" -d "$alert" "$(door)$am"
want 401 "a key of another scope" -H "Authorization: Bearer $key" -d '{}' "$(door)$events"
want 200 "a key" -H "Authorization: Bearer $key" -d "$alert" "$(door)$am"
want 200 "a key in the URL" -d "$alert" "$(door)$am?key=$key"
want 200 "any Host" -H "Host: tocsin.example.org" -u "x:$key" -d "$alert" "$(door)$am"
want 200 "the console's port asks for none" -d "$alert" "$flow_url$am"
codes=$(for _ in 1 2 3 4 5 6; do status_of -H "X-Api-Key: $slow" -d '{"n":1}' "$(door)$events"; echo; done)
grep -q 503 <<< "$codes" || flow_fail "a key's rate: $codes"
for path in /metrics /healthz /api/v1/incidents /api/v1/sources /api/v1/reload; do
  want 404 "$path is not for other machines" -X POST -H "Authorization: Bearer $key" -d '{}' "$(door)$path"
  want 404 "$path is not for other machines" -H "Authorization: Bearer $key" "$(door)$path"
done
curl -fsS "$flow_url/api/v1/sources" | grep -q "\"reasons\":{\"rejected\":$rejected,\"overload\":[1-9]" ||
  flow_fail "who was turned away is not in sources: $(curl -fsS "$flow_url/api/v1/sources" | tail -c 600)"
flow_note "a key, its scope, its rate; nothing but webhooks; who was turned away"

# ---- many records ----
"$python" - > "$flow_dir/many" << 'EOF'
import json
print(json.dumps({"version": "4", "groupKey": "g", "alerts": [{"status": "firing", "startsAt": "2026-01-01T00:00:00Z",
      "labels": {"alertname": f"many-alerts n={i}", "host": f"h{i}"}} for i in range(5000)]}))
EOF
want 200 "5,000 alerts" -H "Authorization: Bearer $key" -H 'Idempotency-Key: many' --data-binary "@$flow_dir/many" "$(door)$am"
want 200 "the same again" -H "Authorization: Bearer $key" -H 'Idempotency-Key: many' --data-binary "@$flow_dir/many" "$(door)$am"
[ "$(found '"name":"many-alerts n=')" = 5000 ] || flow_fail "of 5,000 alerts $(found '"name":"many-alerts n=') came"
flow_note "5,000 alerts in one request, sent twice with an id: each once"
want 200 "the same without an id" -H "Authorization: Bearer $key" --data-binary "@$flow_dir/many" "$(door)$am"
[ "$(found '"name":"many-alerts n=')" = 10000 ] || flow_fail "alerts without an id are taken for a repetition"

# ---- hostile ----
"$python" "$support/hostile.py" http "$(flow_port webhooks)" > "$flow_dir/http"
grep -q '^http done' "$flow_dir/http" || flow_fail "$(cat "$flow_dir/http")"
flow_note "no request that two programs could read in two ways"

# ---- a sender without a key costs nothing ----
"$python" - "$(flow_port webhooks)" "$flow_pid" > "$flow_dir/cost" << 'EOF'
import gzip, socket, sys, threading
port, pid = int(sys.argv[1]), sys.argv[2]
body = gzip.compress(b'[' + b'[],' * ((8 << 20) // 3 - 10) + b'[]]', 9)
def peak():
    return next(int(l.split()[1]) for l in open(f'/proc/{pid}/status') if l.startswith('VmHWM'))
def one(path, said):
    s = socket.create_connection(('127.0.0.1', port)); s.settimeout(60)
    s.sendall(b'POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n'
              b'Connection: close\r\nContent-Length: %d\r\n\r\n' % (path, len(body)) + body)
    said.append(s.recv(100).split(b' ')[1].decode())
before, said = peak(), []
paths = [b'/v2/enqueue', b'/api/v1/events', b'/generic/2010-04-15/create_event.json', b'/webhooks/grafana'] * 3
threads = [threading.Thread(target=one, args=(p, said)) for p in paths]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(set(said)), 'cheap' if peak() - before < 2048 * len(paths) else f'dear: {peak() - before} kB')
EOF
grep -qx "\['401'\] cheap" "$flow_dir/cost" || flow_fail "without a key: $(cat "$flow_dir/cost")"
flow_note "twelve packed trees without a key: 401, no memory"
flow_stop || flow_fail "SIGTERM does not end with 0"

# ---- an address ----
config ", allow: ['127.0.0.0/8']"
flow_start
want 200 "an address in allow" -d '{"n":1}' "$(door)$events"
flow_stop || flow_fail "SIGTERM does not end with 0"
config ", allow: ['192.0.2.0/24']"
flow_start
want 403 "an address not in allow" -d '{"n":1}' "$(door)$events"
flow_stop || flow_fail "SIGTERM does not end with 0"
flow_note "an address that may send, one that may not"

# ---- TLS ----
if command -v openssl > /dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$flow_dir/key.pem" -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -days 2 -out "$flow_dir/cert.pem" 2> /dev/null
  config ", certificate: '$flow_dir/cert.pem', key: '$flow_dir/key.pem'"
  flow_start
  tls=https://127.0.0.1:$(flow_port webhooks)
  want 200 "TLS" --cacert "$flow_dir/cert.pem" -H "Authorization: Bearer $key" -d "$alert" "$tls$am"
  want 200 "TLS 1.2" --tls-max 1.2 --cacert "$flow_dir/cert.pem" -H "Authorization: Bearer $key" -d "$alert" "$tls$am"
  [ "$(status_of -d "$alert" "$(door)$am")" != 200 ] || flow_fail "plain HTTP at a TLS port"
  "$python" "$support/hostile.py" garbage "$(flow_port webhooks)" 20 > /dev/null
  want 200 "TLS behind garbage" --cacert "$flow_dir/cert.pem" -H "Authorization: Bearer $key" -d "$alert" "$tls$am"
  flow_stop || flow_fail "SIGTERM does not end with 0"
  config ", certificate: '$flow_dir/cert.pem', key: '$flow_dir/missing.pem'"
  "$tocsin" run --config "$flow_dir/tocsin.yml" --data "$flow_dir/data" > /dev/null 2> "$flow_dir/said" &&
    flow_fail "it starts without its key"
  grep -q missing.pem "$flow_dir/said" || flow_fail "the missing key is not named: $(cat "$flow_dir/said")"
  flow_note "TLS"
else
  echo "skipped: TLS (no openssl)"
fi
