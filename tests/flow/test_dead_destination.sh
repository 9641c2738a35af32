#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One destination is down: 2,500 P1 alerts, a sink on a closed port and one that works. The one that
# works gets all, nothing stands on record but what happened, a person is answered, and after a
# restart what waits still does.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v curl > /dev/null || flow_skip "no curl here"
readonly alerts=2500
flow_free_port closed
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
sinks:
  - webhook: {name: dead, url: 'http://127.0.0.1:$closed/', allow_private: true, queue: 100,
      retry: 1s, retry_ceiling: 1s, breaker_pause: 1s}
  - file: {name: works, path: $flow_dir/told.jsonl}
EOF
flow_start
metric() { curl -fsS "$flow_url/metrics" | sed -n "s/^tocsin_$1 //p"; }
records() { "$tocsin" verify --url "$flow_url" --json | sed -n 's/.*"records":\([0-9]*\).*/\1/p'; }
told() { [ "$(grep -c '"type":"incident.opened"' "$flow_dir/told.jsonl")" -ge "$1" ]; }

for n in $(seq $alerts); do
  echo "next"
  echo "url = \"$flow_url/v2/enqueue\""
  echo "header = \"Content-Type: application/json\""
  echo "output = \"/dev/null\""
  echo "write-out = \"%{http_code}\\n\""
  echo "data = \"{\\\"routing_key\\\":\\\"0123456789abcdef0123456789abcdef\\\",\\\"dedup_key\\\":\\\"k$n\\\",\\\"event_action\\\":\\\"trigger\\\",\\\"payload\\\":{\\\"summary\\\":\\\"Disk $n full\\\",\\\"source\\\":\\\"db$n.example.org\\\",\\\"severity\\\":\\\"critical\\\"}}\""
done | sed 1d > "$flow_dir/alerts.curl"
curl -sS --parallel --parallel-max 50 --config "$flow_dir/alerts.curl" > "$flow_dir/codes" 2> "$flow_dir/sent" ||
  flow_fail "the alerts cannot be sent: $(cat "$flow_dir/sent")"
[ "$(grep -c '^202' "$flow_dir/codes")" = $alerts ] || flow_fail "not all were taken: $(sort "$flow_dir/codes" | uniq -c)"
touch "$flow_dir/told.jsonl"
flow_wait 60 told $alerts || flow_fail "the healthy one has $(wc -l < "$flow_dir/told.jsonl") of $alerts"
flow_note "$alerts alerts, $alerts lines for the one that works, while the other is down"

# Every record is one of what happened: an opening, two queued, one delivered; the storm, likewise;
# and the tries on the dead one. Nothing that was only waiting is on it.
explained() {
  local before after records
  before=$(metric 'sinks_attempts_total{sink="dead",outcome="failed_temp"}')
  records=$(records)
  after=$(metric 'sinks_attempts_total{sink="dead",outcome="failed_temp"}')
  surplus=$((records - 4 * alerts - 4 - before))
  [ $surplus -ge 0 ] && [ $surplus -le $((after - before)) ]
}
flow_wait 30 explained || flow_fail "$surplus records more than what happened"
[ "$(metric record_deliveries_refused_total)" = 0 ] || flow_fail "deliveries were given up"
[ "$(metric 'sinks_queued{sink="dead"}')" -le 100 ] || flow_fail "the dead one's queue is exceeded"
[ "$(metric record_outbox)" -ge $alerts ] || flow_fail "what waits is gone"
flow_note "no record of what only waited"

id=$(sed -n '$s/.*"incident":{"id":"\([^"]*\)".*/\1/p' "$flow_dir/told.jsonl")
"$tocsin" incident "$id" ack --url "$flow_url" > "$flow_dir/answer" 2>&1 || flow_fail "ack: $(cat "$flow_dir/answer")"
flow_wait 10 grep -q '"type":"incident.acknowledged"' "$flow_dir/told.jsonl" ||
  flow_fail "the healthy one is not told of the acknowledgement"
flow_note "an acknowledgement is answered and told"

flow_stop || flow_fail "it does not stop well"
flow_start
[ "$(metric record_outbox)" -ge $alerts ] || flow_fail "what waited is gone after a restart"
"$python" - "$closed" "$flow_dir/came" << 'EOF' &
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(sys.argv[2], "a") as f:
            f.write(body["type"] + " " + body.get("incident", {}).get("id", "-") + "\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
EOF
flow_pids+=($!)
came() { [ "$(grep '^incident.opened' "$flow_dir/came" 2> /dev/null | sort -u | wc -l)" -ge $alerts ]; }
flow_wait 120 came || flow_fail "it is up again and has $(wc -l < "$flow_dir/came") of $alerts"
first=$(grep -n "incident.opened $id" "$flow_dir/came" | head -n 1 | cut -d: -f1)
then=$(grep -n "incident.acknowledged $id" "$flow_dir/came" | head -n 1 | cut -d: -f1)
[ -n "$then" ] && [ "$first" -lt "$then" ] || flow_fail "acknowledged ($then) before opened ($first)"
flow_note "after a restart, and once it is up again, it gets all, in order"
