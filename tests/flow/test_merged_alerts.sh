#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Merged incidents of alerts: members move over, their keys lead to the absorbing incident, which is
# resolved when every member is; a split gives them back.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
flow_config << EOF
sources: []
http: {listen: '127.0.0.1:0'}
EOF
flow_start
event() { # event ACTION KEY SEVERITY
  [ "$(curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url/v2/enqueue" -H 'Content-Type: application/json' -d \
    "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"$2\",\"event_action\":\"$1\",
    \"payload\":{\"summary\":\"about $2\",\"source\":\"$2.example.org\",\"severity\":\"$3\"}}")" = 202 ] ||
    flow_fail "$1 of $2: $(cat "$flow_dir/answer")"
}
incidents() { "$tocsin" incidents --url "$flow_url" --json "$@"; }
id_of() { incidents | grep "$1.example.org" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p' | head -n 1; }
has() { incidents --state "$1" | grep -q "\"id\":\"$2\""; }
count() { incidents | grep -c .; }
post() {
  curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url/api/v1/incidents/$1" \
    -H 'Content-Type: application/json' -d "$2"
}
recurs() { curl -fsS "$flow_url/api/v1/incidents/$1" | grep -q "\"recurrences\":$2[,}]"; }
event trigger disk critical
event trigger web error
opened() { [ -n "$(id_of "$1")" ]; }
flow_wait 10 opened disk || flow_fail "disk opens nothing"
flow_wait 10 opened web || flow_fail "web opens nothing"
disk=$(id_of disk)
web=$(id_of web)
[ "$(post "$disk/merge" "{\"by\":\"ada\",\"into\":\"$web\"}")" = 200 ] || flow_fail "merge: $(cat "$flow_dir/answer")"
event trigger disk critical
flow_wait 10 recurs "$web" 1 || flow_fail "the absorbed key does not lead to the absorbing incident: $(incidents)"
[ "$(count)" = 2 ] || flow_fail "the absorbed key opened another: $(incidents)"
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_start
event trigger disk critical
flow_wait 10 recurs "$web" 2 || flow_fail "after a restart the key leads elsewhere: $(incidents)"
incidents | grep "\"id\":\"$web\"" | grep -q '"severity":"critical"' || flow_fail "it is not as grave as its gravest member"
event resolve web error
resolved_members() { curl -fsS "$flow_url/api/v1/incidents/$web" | grep -o '"kind":"incident.alert_resolved"' | grep -c . | grep -qx "$1"; }
flow_wait 10 resolved_members 1 || flow_fail "the resolve of one member is not on the timeline"
has open "$web" || flow_fail "one member ended, and the whole is resolved"
event resolve disk critical
flow_wait 10 has resolved "$web" || flow_fail "every member ended, and it is not resolved: $(incidents)"
[ "$(count)" = 2 ] || flow_fail "another incident came: $(incidents)"
flow_note "keys of a merged incident lead to the other, which ends with its last member"

for key in left right; do event trigger $key critical; done
flow_wait 10 opened left || flow_fail "left opens nothing"
flow_wait 10 opened right || flow_fail "right opens nothing"
left=$(id_of left)
right=$(id_of right)
[ "$(post "$left/merge" "{\"by\":\"ada\",\"into\":\"$right\"}")" = 200 ] || flow_fail "merge: $(cat "$flow_dir/answer")"
[ "$(post "$left/split" '{"by":"ada"}')" = 200 ] || flow_fail "split: $(cat "$flow_dir/answer")"
event resolve left critical
flow_wait 10 has resolved "$left" || flow_fail "after a split its alert does not end it: $(incidents)"
has open "$right" || flow_fail "after a split another's alert ends it"
flow_note "a split gives the members back"
flow_stop || flow_fail "SIGTERM did not end with 0"
