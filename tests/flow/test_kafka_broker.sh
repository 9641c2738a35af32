#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Kafka door against a real broker: the real source with the real journal (test_kafka take),
# through a killed broker, a killed reader, a rebalance, a journal that refuses, a lost session, dead
# letters and a topic made anew. Numbered records: at the end each is in the journals exactly once.
set -u
here=$(dirname "$(readlink -f "$0")")
root=$(cd "$here/../.." && pwd)
program=$(readlink -f "$1")/tests/test_kafka
[ -x "$program" ] || { echo "no program at $program"; exit 2; }
"$root/script/kafka" --fetch || { echo "skipped: no broker to be had"; exit 77; }
dir=$(mktemp -d)
declare -A pids
finish() {
  local pid
  for pid in "${pids[@]}"; do
    kill -TERM "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
  done
  [ -z "${KEEP:-}" ] && rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
fail() {
  echo "FAIL: $*"
  tail -n 20 "$dir"/*.err
  exit 1
}
wait_for() { # wait_for SECONDS COMMAND... : of a machine that has nothing else to do, else 180
  local until=$((SECONDS + ($1 > 180 ? $1 : 180)))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    read -rt 0.1 <> <(:) || true
  done
}

start_broker() {
  : > "$dir/broker.out"
  "$root/script/kafka" "$dir/broker" ${port:-} > "$dir/broker.out" 2> "$dir/broker.err" &
  pids[broker]=$!
  wait_for 120 grep -q '^ready' "$dir/broker.out" || fail "the broker does not get ready"
  port=$(cat "$dir/broker/port")
}
kill_broker() {
  kill -9 "$(cat "$dir/broker/pid")"
  wait "${pids[broker]}" 2> /dev/null
}
start_reader() { # start_reader NAME
  "$program" take "kafka: {topics: [logs], dead_letter: dead, max_message: 2KiB, properties: {
    bootstrap.servers: '127.0.0.1:$port', group.id: tocsin, session.timeout.ms: 3000,
    heartbeat.interval.ms: 500, reconnect.backoff.max.ms: 1000, retry.backoff.ms: 100,
    topic.metadata.refresh.interval.ms: 2000, auto.commit.interval.ms: 30000}}" "$dir/$1" 0 "$dir/$1.metrics" > "$dir/$1.out" 2>> "$dir/$1.err" &
  pids[$1]=$!
  wait_for 10 grep -q ready "$dir/$1.out" || fail "reader $1 does not start"
}
stop_reader() { # stop_reader NAME [SIGNAL]
  local status
  kill "-${2:-TERM}" "${pids[$1]}"
  wait "${pids[$1]}" 2> /dev/null
  status=$?
  [ -n "${2:-}" ] || [ $status = 0 ] || fail "reader $1 ended with $status"
  unset "pids[$1]"
}
numbers() { # all numbers in all journals, sorted, repetitions kept
  local journal
  for journal in "$dir"/j*; do
    [ -d "$journal" ] && "$program" list "$journal"
  done | sed -n 's/^n //p' | sort -n
}
has_upto() { [ "$(numbers | uniq | wc -l)" -ge "$1" ]; }
produce() { # produce FROM TO [per second]
  seq "$1" "$2" | sed 's/^/n /' |
    "$program" produce "127.0.0.1:$port" logs "${3:-0}" 2>> "$dir/producer.err" ||
    echo "producing $1 to $2 failed" >> "$dir/failed"
}
sum() { # sum METRIC NAME: of reader NAME, after asking it
  rm -f "$dir/$2.metrics"
  kill -HUP "${pids[$2]}"
  wait_for 5 test -s "$dir/$2.metrics" || return
  sed -n "s/^$1{.*} //p" "$dir/$2.metrics" | awk '{ n += $1 } END { print n + 0 }'
}

start_broker
start_reader j1
produce 1 2000
wait_for 60 has_upto 2000 || fail "plain: $(numbers | uniq | wc -l) of 2000"
echo "ok: 2000 records read"

produce 2001 5000 150 &
producer=$!
wait_for 30 has_upto 2300
kill_broker
start_broker
wait_for 30 has_upto 2600
stop_reader j1 KILL
start_reader j1
wait $producer
wait_for 60 has_upto 5000 || fail "broker killed: $(numbers | uniq | wc -l) of 5000"
is_above() { [ "$(sum "$1" j1)" -gt 0 ]; }
wait_for 30 is_above journal_repeated_records_total ||
  fail "nothing was delivered twice: the test proves nothing"
repeated=$(sum journal_repeated_records_total j1)
echo "ok: broker killed and started again, reader killed and started again; $repeated repetitions dropped"

produce 5001 9000 300 &
producer=$!
wait_for 30 has_upto 5300
start_reader j2
wait_for 30 test -s "$dir/j2.err" # its share of partitions is told in its log
wait_for 30 has_upto 7000
stop_reader j2
wait $producer
wait_for 60 has_upto 9000 || fail "rebalance: $(numbers | uniq | wc -l) of 9000"
[ "$("$program" list "$dir/j2" | wc -l)" -gt 0 ] || fail "the second reader read nothing"
echo "ok: a second reader came and went with $("$program" list "$dir/j2" | wc -l) records"

produce 9001 10000 200 &
producer=$!
wait_for 30 has_upto 9100
kill -USR1 "${pids[j1]}"
wait_for 10 grep -q 'refused records=' "$dir/j1.err" || fail "nothing was refused"
kill -USR2 "${pids[j1]}"
wait $producer
wait_for 60 has_upto 10000 || fail "refused: $(numbers | uniq | wc -l) of 10000"
wait_for 10 is_above kafka_retries_total || fail "nothing was read again"
echo "ok: refused batches were read again $(sum kafka_retries_total j1) times"

kill -STOP "${pids[j1]}" # for longer than its session: the group takes its partitions away
produce 10001 10500
read -rt 5 <> <(:) || true
kill -CONT "${pids[j1]}"
produce 10501 11000 200
wait_for 60 has_upto 11000 || fail "session lost: $(numbers | uniq | wc -l) of 11000"
echo "ok: a reader that lost its session found its way back"

head -c 5000 /dev/zero | tr '\0' x | kcat -P -b "127.0.0.1:$port" -t logs -k poison
produce 11001 11001
wait_for 30 has_upto 11001 || fail "a record behind a poisonous one does not come"
kcat -C -b "127.0.0.1:$port" -t dead -e -q -f '%S %k %h\n' > "$dir/letters" 2>> "$dir/kcat.err"
grep -q '^5000 poison tocsin.cause=longer than max_message,tocsin.origin=kafka:logs:[0-9]*:[0-9]*$' \
  "$dir/letters" || fail "the dead letter is not as it should be: $(cat "$dir/letters")"
has_no_lag() { [ "$(sum kafka_lag_records j1)" = 0 ]; }
wait_for 10 has_no_lag || fail "lag: $(cat "$dir/j1.metrics")"
echo "ok: a record too long is a dead letter with cause and origin; the lag is 0"

"$program" take "kafka: {topics: [docs], format: json, dead_letter: spoiled, properties: {
  bootstrap.servers: '127.0.0.1:$port', group.id: docs, topic.metadata.refresh.interval.ms: 1000}}" \
  "$dir/docs" 0 "$dir/docs.metrics" > "$dir/docs.out" 2>> "$dir/docs.err" &
pids[docs]=$!
printf '%s\n' '{"a":1}' 'no JSON' '{"b":' '{"c":{"d":[1,"x"]}} ' |
  "$program" produce "127.0.0.1:$port" docs 0 2>> "$dir/producer.err"
has_docs() { [ "$("$program" list "$dir/docs" | wc -l)" = 2 ]; }
wait_for 30 has_docs || fail "JSON: $("$program" list "$dir/docs")"
has_spoiled() {
  kcat -C -b "127.0.0.1:$port" -t spoiled -e -q -f '%s|%h\n' 2>> "$dir/kcat.err" |
    grep -c '^\(no JSON\|{"b":\)|tocsin.cause=not one well-formed JSON object' | grep -q 2
}
wait_for 10 has_spoiled || fail "what is no JSON is no dead letter"
stop_reader docs
echo "ok: with format json, what is none is a dead letter"

# read once more, by another machine with a journal of its own: received at the same time
again() {
  "$program" take "kafka: {topics: [docs], format: json, dead_letter: spoiled, properties: {
    bootstrap.servers: '127.0.0.1:$port', group.id: $1, topic.metadata.refresh.interval.ms: 1000}}" \
    "$dir/$1" 0 "$dir/$1.metrics" > "$dir/$1.out" 2>> "$dir/docs.err" &
  pids[$1]=$!
  wait_for 30 sh -c "[ \"\$('$program' list '$dir/$1' | wc -l)\" = 2 ]" || fail "$1 read nothing"
  stop_reader "$1"
}
again twice
"$program" times "$dir/docs" | sort > "$dir/docs.times"
"$program" times "$dir/twice" | sort | cmp - "$dir/docs.times" ||
  fail "a second reading differs: $(cat "$dir/docs.times"; "$program" times "$dir/twice")"
kcat -C -b "127.0.0.1:$port" -t docs -e -q -f 'kafka:%t:%p:%o %T000 %s\n' 2>> "$dir/kcat.err" |
  grep '{"[ac]"' | sort | cmp - "$dir/docs.times" || fail "not the records' own times"
echo "ok: a record is received when its log took it, at every reading"

kill_broker
rm -rf "$dir/broker/data"
start_broker
produce 11002 11100
wait_for 60 has_upto 11100 || fail "topic made anew: $(numbers | uniq | wc -l) of 11100"
echo "ok: a topic made anew is read from its start"

stop_reader j1
numbers > "$dir/numbers"
seq 1 11100 | cmp - "$dir/numbers" || fail "lost or doubled: $(seq 1 11100 | diff - "$dir/numbers" | head)"
[ ! -e "$dir/failed" ] || fail "$(cat "$dir/failed")"
echo "ok: 11100 records, none lost, none doubled"
