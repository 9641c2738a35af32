#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who is told of what: the end goes to exactly those who were told, whatever the priority has become;
# what opens and resolves again and again is told as one; a storm ends in a digest that names
# everything in it; and a severity that a person set for an hour lasts an hour. The clock is moved.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v curl > /dev/null || flow_skip "no curl here"
flow_clock_begin
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
sinks:
  - file: {name: pager, path: $flow_dir/pager.jsonl}
  - file: {name: desk, path: $flow_dir/desk.jsonl}
routes:
  - {match: {priority: [P1, P2]}, to: [pager]}
  - {to: [desk]}
EOF
touch "$flow_dir/pager.jsonl" "$flow_dir/desk.jsonl"
flow_start
event() { # event ACTION KEY SEVERITY
  [ "$(curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url/v2/enqueue" \
    -H 'Content-Type: application/json' -d "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",
    \"dedup_key\":\"$2\",\"event_action\":\"$1\",\"payload\":{\"summary\":\"Disk full on $2\",
    \"source\":\"$2.example.org\",\"severity\":\"$3\"}}")" = 202 ] ||
    flow_fail "$1 $2: $(cat "$flow_dir/answer")"
}
count() { grep "$3" "$flow_dir/$1.jsonl" | grep -c "\"type\":\"incident$2\""; } # count SINK TYPE KEY
is() { [ "$(count "$1" "$2" "$3")" = "$4" ]; }
state() { "$tocsin" incidents --url "$flow_url" --json | grep "$1.example.org" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }
in_state() { [ "$(state "$1")" = "$2" ]; }
tells() { flow_wait 20 is "$@" || flow_fail "$1 has not $4 of incident$2 for $3: $(cut -c 1-120 "$flow_dir/$1.jsonl")"; }

# ---- an override moves nobody's end elsewhere, and lapses ----------------------------------------
event trigger alpha critical
tells pager .opened alpha 1
id=$(sed -n 's/.*"incident":{"id":"\([^"]*\)".*/\1/p' "$flow_dir/pager.jsonl" | head -n 1)
override() { curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url/api/v1/incidents/$id/severity" -H 'Content-Type: application/json' -d "$1"; }
[ "$(override '{"by":"ann","severity":"low","reason":"a test disk","until":"soon"}')" = 400 ] ||
  flow_fail "a time that is none is taken: $(cat "$flow_dir/answer")"
[ "$(override "{\"by\":\"ann\",\"severity\":\"low\",\"reason\":\"a test disk\",\"until\":\"$(flow_date 3600)\"}")" = 200 ] ||
  flow_fail "override: $(cat "$flow_dir/answer")"
grep -q '"priority":"P4"' "$flow_dir/answer" || flow_fail "it is no P4: $(cat "$flow_dir/answer")"
flow_clock_move 3601
tells pager .raised alpha 1
flow_note "a severity for an hour ends after it, and that is told"
[ "$(override '{"by":"ann","severity":"low","reason":"a test disk"}')" = 200 ] || flow_fail "second override"
event resolve alpha critical
tells pager .resolved alpha 1
[ "$(grep -c alpha "$flow_dir/desk.jsonl")" = 0 ] || flow_fail "the desk hears of an end without an opening"
flow_note "the pager has the end of what it opened, though it is a P4 by then; nobody else has"

# ---- six flaps -----------------------------------------------------------------------------------
for flap in 1 2 3 4 5 6; do
  event trigger bravo critical
  flow_wait 10 in_state bravo open || flow_fail "flap $flap: not open but $(state bravo)"
  event resolve bravo critical
  flow_wait 10 in_state bravo resolved || flow_fail "flap $flap: not resolved but $(state bravo)"
done
tells pager .opened bravo 1
tells pager .resolved bravo 1
tells pager .reopened bravo 1
flow_clock_move 601
tells pager .resolved bravo 2
[ "$(grep -c bravo "$flow_dir/pager.jsonl")" = 4 ] || flow_fail "six flaps are $(grep -c bravo "$flow_dir/pager.jsonl") notices"
grep bravo "$flow_dir/pager.jsonl" | tail -n 1 | grep -q '"flapping":{[^}]*"times":5' || flow_fail "it does not say that it flapped"
flow_note "six flaps are four notices, the last one ten quiet minutes later"

# ---- a storm -------------------------------------------------------------------------------------
for n in $(seq 14); do event trigger "storm$n" error; done
flow_wait 20 in_state storm14 open || flow_fail "storm14 is not open"
digested() { grep '"type":"incidents.digest"' "$flow_dir/$1.jsonl" | grep -q "$2"; }
opened() { grep -h "storm$1\\." "$flow_dir/pager.jsonl" "$flow_dir/desk.jsonl" | grep -q '"type":"incident.opened"'; }
sink=desk
[ "$(grep -c 'storm1\.' "$flow_dir/pager.jsonl")" -gt 0 ] && sink=pager
flow_clock_move 660
event trigger later critical # time moves with what comes
flow_wait 20 digested $sink 'on storm14' || flow_fail "no digest names storm14: $(tail -n 3 "$flow_dir/$sink.jsonl" | cut -c 1-300)"
for n in $(seq 14); do
  opened "$n" || digested $sink "on storm$n\"" || flow_fail "storm$n is told nowhere"
done
event resolve storm14 error
tells $sink .resolved storm14 1
grep -q '"type":"incidents.storm".*"title":"11 incidents opened' "$flow_dir"/*.jsonl || flow_fail "the storm has no words"
flow_note "a storm ends in a digest that names all, and what it names is told of its end"

# ---- and over a restart --------------------------------------------------------------------------
flow_stop || flow_fail "it does not stop well"
flow_start
event resolve storm13 error
tells $sink .resolved storm13 1
flow_note "who was told is known after a restart"
