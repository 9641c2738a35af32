#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole program behind a real broker: five failures from an address are one detection, four are
# none. Tocsin and the broker are killed (SIGKILL) while they come: a lost record would leave an
# address without its detection, a doubled one would give another address one.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
program=$(readlink -f "$1")/tests/test_kafka
"$root/script/kafka" --fetch || flow_skip "no broker to be had"
addresses=240

start_broker() {
  : > "$flow_dir/broker.out"
  "$root/script/kafka" "$flow_dir/broker" ${port:-} > "$flow_dir/broker.out" 2>> "$flow_dir/broker.err" &
  broker=$!
  flow_pids=("$broker")
  flow_wait 120 grep -q '^ready' "$flow_dir/broker.out" || flow_fail "the broker does not get ready"
  port=$(cat "$flow_dir/broker/port")
}
start_broker
mkdir "$flow_dir/rules"
cp "$root/benchmarks/rules/ssh_five_failures.yml" "$flow_dir/rules/"
flow_config << EOF
rules: ['$flow_dir/rules']
sources:
  - kafka: {topics: [auth], properties: {bootstrap.servers: '127.0.0.1:$port', group.id: tocsin,
      session.timeout.ms: 3000, heartbeat.interval.ms: 500, reconnect.backoff.max.ms: 500,
      auto.commit.interval.ms: 20000, topic.metadata.refresh.interval.ms: 2000}}
http: {listen: '127.0.0.1:0'}
correlation: {checkpoint: 100ms, workers: 2, shards: 2}
EOF
stamp=$(flow_date)
for round in 1 2 3 4 5; do
  for n in $(seq 1 $addresses); do
    [ $round = 5 ] && [ $((n % 2)) = 0 ] && continue
    echo "<38>1 $stamp web1 sshd 7 - - Failed password for root from 10.0.$((n / 200)).$((n % 200)) port $((round * 1000 + n)) ssh2"
  done
done > "$flow_dir/lines"
total=$(wc -l < "$flow_dir/lines")
journaled() { "$tocsin" search --data "$flow_dir/data" 'Failed password' 2>> "$flow_dir/search.err"; }
has_journaled() { [ "$(journaled | wc -l)" -ge "$1" ]; }

flow_start --detections "$flow_dir/live.jsonl"
"$program" produce "127.0.0.1:$port" auth 60 < "$flow_dir/lines" 2> "$flow_dir/producer.err" &
producer=$!
flow_wait 60 has_journaled $((total / 4)) || flow_fail "nothing comes: $(journaled | wc -l) of $total"
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start --detections "$flow_dir/live.jsonl"
flow_wait 60 has_journaled $((total / 2)) || flow_fail "stuck after the kill: $(journaled | wc -l) of $total"
kill -KILL "$(cat "$flow_dir/broker/pid")"
wait "$broker" 2> /dev/null
start_broker
wait "$producer" || flow_fail "the producer lost something: $(tail -n 3 "$flow_dir/producer.err")"
flow_wait 60 has_journaled "$total" || flow_fail "$(journaled | wc -l) of $total records are there"
[ "$(journaled | grep -o 'port [0-9]* ssh2' | sort -u | wc -l)" = "$total" ] || flow_fail "a record is missing"
[ "$(journaled | wc -l)" = "$total" ] || flow_fail "doubled: $(journaled | wc -l) of $total"
flow_note "$total records, each in the journal once, tocsin and the broker killed"
fired() { grep -o '"src_ip":"[0-9.]*"' "$flow_dir/live.jsonl" | sort; }
has_fired() { [ "$(fired | wc -l)" -ge "$1" ]; }
flow_wait 20 has_fired $((addresses / 2)) || flow_fail "$(fired | wc -l) of $((addresses / 2)) detections"
flow_stop || flow_fail "it did not end with 0"
for n in $(seq 1 2 $addresses); do
  echo "\"src_ip\":\"10.0.$((n / 200)).$((n % 200))\""
done | sort > "$flow_dir/want"
fired | cmp - "$flow_dir/want" || flow_fail "detections: $(fired | diff - "$flow_dir/want" | head)"
flow_note "$((addresses / 2)) addresses with five failures: one detection each; with four: none"
