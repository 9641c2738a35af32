#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A record that cannot take what is decided says so: /readyz, /metrics, and webhooks in the words that
# make their sender come again. Full, refusing, silent, dead: it does not spin, closing goes on, and
# it goes on by itself.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v redis-cli > /dev/null || flow_skip "no redis-cli here"
flow_config << EOF
sources: [{syslog_tcp: {listen: '127.0.0.1:0'}}]
http: {listen: '127.0.0.1:0'}
rules: ['$flow_dir/rules']
EOF
mkdir "$flow_dir/rules"
cat > "$flow_dir/rules/alarm.yml" << 'EOF'
title: Alarm
id: 3f1c1a52-7b5e-4d0a-9d5f-6b9f0c0d0001
status: test
logsource: {product: linux}
detection:
  keywords: ['sound the bell']
  condition: keywords
level: critical
tocsin:
    open: always
    entity: [{field: host, kind: host}]
EOF
flow_start
! grep -q 'rules or documents are refused' "$flow_dir/err" || flow_fail "its rule is refused"
socket=$(sed -n 's/^unixsocket "\(.*\)"/\1/p' "$(find "$flow_dir/data" -name redis.conf)")
redis() { redis-cli -s "$socket" "$@"; }
code() { curl -s -m 20 -o "$flow_dir/answer" -w '%{http_code}' "$@"; }
post() { code -X POST "$flow_url$1" -H 'Content-Type: application/json' -d "$2"; }
pagerduty() {
  post /v2/enqueue "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"$1\",
    \"event_action\":\"trigger\",\"payload\":{\"summary\":\"$1\",\"source\":\"$1.example.org\",\"severity\":\"critical\"}}"
}
plain() { post /webhooks/alert "{\"key\":\"$1\",\"title\":\"$1\",\"host\":\"$1.example.org\",\"severity\":\"critical\"}"; }
ready() { code "$flow_url/readyz"; }
is_ready() { [ "$(ready)" = 200 ]; }
says() { [ "$(ready)" = 503 ] && grep -q "$1" "$flow_dir/answer"; }
metric() { curl -fsS "$flow_url/metrics" | sed -n "s/^tocsin_$1 //p"; }
incidents() { "$tocsin" incidents --url "$flow_url" --json "$@"; }
has() { incidents --state "$1" | grep -q "$2"; }
alarm() { # alarm HOST : a line that a rule opens an incident for
  exec 9<> "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
  echo "<38>Feb  5 10:00:00 $1 app: sound the bell" >&9
  exec 9>&-
}
ticks() { awk '{print $14 + $15}' "/proc/$flow_pid/stat"; }
decided() { curl -fsS "$flow_url/metrics" | sed -n 's/^tocsin_record_detections_total //p'; }
post_id() { incidents --state open | grep "$1" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p'; }

is_ready || flow_fail "not ready: $(cat "$flow_dir/answer")"
[ "$(metric record_ready)" = 1 ] || flow_fail "record_ready is not 1"
[ "$(pagerduty before)" = 202 ] || flow_fail "trigger: $(cat "$flow_dir/answer")"
flow_wait 10 has open before.example.org || flow_fail "a trigger opens nothing"
id=$(post_id before.example.org)

# ---- full ---------------------------------------------------------------------------------------
redis config set maxmemory 1mb > /dev/null
flow_wait 10 says maxmemory || flow_fail "full, and /readyz: $(ready) $(cat "$flow_dir/answer")"
[ "$(metric record_ready)" = 0 ] || flow_fail "full, and record_ready is not 0"
[ "$(metric record_memory_full)" = 1 ] || flow_fail "full, and record_memory_full is not 1"
[ "$(pagerduty full)" = 429 ] || flow_fail "full, and PagerDuty's sender is told: $(cat "$flow_dir/answer")"
[ "$(plain full)" = 503 ] || flow_fail "full, and our sender is told: $(cat "$flow_dir/answer")"
alarm bell1 # a log line has no sender to turn away: it waits in the journal
lines=$(wc -l < "$flow_dir/err")
before=$(ticks)
for n in $(seq 40); do
  curl -fsS "$flow_url/healthz" > /dev/null
  read -rt 0.05 <> <(:) || true
done
lines=$(($(wc -l < "$flow_dir/err") - lines))
spent=$(($(ticks) - before))
[ "$lines" -lt 5 ] || flow_fail "full, and it wrote $lines lines in 2 s"
[ "$spent" -lt 100 ] || flow_fail "full, and it spins: $spent ticks in 2 s"
[ "$(post "/api/v1/incidents/$id/close" '{"by":"ada","disposition":"true_positive"}')" = 200 ] ||
  flow_fail "full, and it cannot be closed: $(cat "$flow_dir/answer")"
has closed "$id" || flow_fail "closed, it was said, and is not"
flow_note "full: /readyz says so, senders are told to come again, nothing spins, closing goes on"
# a connection that breaks meanwhile comes again: loading the function is refused at that limit
redis client kill type normal skipme yes > /dev/null
flow_wait 10 says maxmemory || flow_fail "full, it does not connect again: $(cat "$flow_dir/answer")"
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start # the private server starts with a limit of its own
flow_wait 10 is_ready || flow_fail "it does not recover: $(cat "$flow_dir/answer")"
flow_wait 10 has open bell1 || flow_fail "what waited in the journal opens nothing"
[ "$(pagerduty full)" = 202 ] || flow_fail "after it, a sender is not heard: $(cat "$flow_dir/answer")"
flow_wait 10 has open full.example.org || flow_fail "after it, a trigger opens nothing"
redis config set maxmemory 1mb > /dev/null
flow_wait 10 says maxmemory || flow_fail "full again, and /readyz: $(cat "$flow_dir/answer")"
alarm bell2
redis config set maxmemory 0 > /dev/null
flow_wait 10 is_ready || flow_fail "with room again it is not ready: $(cat "$flow_dir/answer")"
flow_wait 10 has open bell2 || flow_fail "with room again what waited opens nothing"
flow_note "with room again it goes on by itself, also over a kill"

# ---- every write refused ------------------------------------------------------------------------
redis config set min-replicas-to-write 3 > /dev/null
alarm bell3
flow_wait 10 says refuses || flow_fail "writes refused, and /readyz: $(cat "$flow_dir/answer")"
[ "$(pagerduty refused)" = 429 ] || flow_fail "writes refused, and the sender is told: $(cat "$flow_dir/answer")"
answer=$(post /api/v1/incidents '{"title":"Wire cut","by":"ada"}')
[ "$answer" = 503 ] || flow_fail "writes refused, and a report is answered $answer: $(cat "$flow_dir/answer")"
grep -q 'NOREPLICAS' "$flow_dir/err" || flow_fail "the log does not say why"
redis config set min-replicas-to-write 0 > /dev/null
flow_wait 10 is_ready || flow_fail "after refusals it is not ready: $(cat "$flow_dir/answer")"
flow_wait 10 has open bell3 || flow_fail "after refusals what waited opens nothing"
flow_note "every write refused: said, senders come again, and it goes on by itself"

# ---- silent, dead -------------------------------------------------------------------------------
pid=$(redis info server | sed -n 's/^process_id:\([0-9]*\).*/\1/p')
kill -STOP "$pid"
flow_wait 10 says 'does not answer' || flow_fail "stopped, and /readyz: $(cat "$flow_dir/answer")"
flow_wait 60 is_ready || flow_fail "a stopped redis-server is not replaced: $(cat "$flow_dir/answer")"
kill -KILL "$(redis info server | sed -n 's/^process_id:\([0-9]*\).*/\1/p')"
flow_wait 60 is_ready || flow_fail "a dead redis-server is not replaced: $(cat "$flow_dir/answer")"
alarm bell4
flow_wait 10 has open bell4 || flow_fail "after a restart of Redis nothing opens"
flow_note "silent and dead: said, and replaced"
flow_stop || flow_fail "SIGTERM did not end with 0"
