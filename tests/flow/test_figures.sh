#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Response times by their definitions: drills and duplicates do not count, what ended by itself waits
# for nobody, operations have no containment, a report is the first alert, reopened is unacknowledged.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
flow_config << EOF
sources: []
http: {listen: '127.0.0.1:0'}
EOF
flow_start
post() { # post PATH BODY WANT
  local code
  code=$(curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url$1" -H 'Content-Type: application/json' -d "$2")
  [ "$code" = "$3" ] || flow_fail "$1: $code $(cat "$flow_dir/answer")"
}
report() { post /api/v1/incidents "{\"title\":\"$1\",\"by\":\"ada\"}" 201; id=$(sed -n 's/^{"id":"\([^"]*\)".*/\1/p' "$flow_dir/answer"); }
act() { post "/api/v1/incidents/$id/$1" "$2" 200; }
event() {
  post /v2/enqueue "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"$2\",\"event_action\":\"$1\",
    \"payload\":{\"summary\":\"about $2\",\"source\":\"$2.example.org\",\"severity\":\"critical\"}}" 202
}
has() { "$tocsin" incidents --url "$flow_url" --json --state "$1" | grep -q "$2.example.org"; }
figure() { # figure METRIC FIELD
  "$tocsin" report --url "$flow_url" --json |
    "$python" -c "import json, sys; print(json.load(sys.stdin)['total']['metrics']['$1'].get('$2', 0))"
}
is() { [ "$(figure "$1" "$2")" = "$3" ] || flow_fail "$1 $2: want $3, not $(figure "$1" "$2")"; }

report Real; real=$id
act ack '{"by":"ada"}'; act contain '{"by":"ada"}'
report Drill; act ack '{"by":"ada"}'; act close '{"by":"ada","disposition":"test"}'
report Twice; twice=$id; act merge "{\"by\":\"ada\",\"into\":\"$real\"}"
event trigger quick
flow_wait 10 has open quick || flow_fail "a trigger opens nothing"
event resolve quick
flow_wait 10 has resolved quick || flow_fail "a resolve does not resolve"
is acknowledge n 1
is acknowledge open 0
is acknowledge unknown 0
is contain n 1
is contain open 0
is contain unknown 0
is recover n 1
is recover open 1
flow_note "drills, duplicates and what ended by itself are left out; a report has an alert time"
id=$real
act resolve '{"by":"ada"}'; act reopen '{"by":"ada"}'
curl -fsS "$flow_url/api/v1/handover" > "$flow_dir/handover"
"$python" - "$flow_dir/handover" "$real" << 'EOF' || flow_fail "handover: $(cat "$flow_dir/handover")"
import json, sys
handover = json.load(open(sys.argv[1]))
sys.exit(handover['unacknowledged'] != [sys.argv[2]])
EOF
flow_note "a reopened incident is unacknowledged in the handover, and it alone"
id=$twice; act split '{"by":"ada"}'
is acknowledge open 1
flow_note "what is split again counts again"
flow_stop || flow_fail "SIGTERM did not end with 0"
