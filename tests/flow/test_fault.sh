#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Thirty faults at random moments change no incident. TOCSIN_SEED repeats a run, TOCSIN_ROUNDS makes
# it longer. With a real Kafka broker where one can be had; without, that part says so.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v "$python" > /dev/null || flow_skip "no python3 here"
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
kafka=
if command -v kcat > /dev/null && "$root/script/kafka" --fetch 2> /dev/null; then
  "$root/script/kafka" "$flow_dir/broker" > "$flow_dir/broker.out" 2>&1 &
  flow_pids+=($!)
  flow_wait 120 grep -q '^ready' "$flow_dir/broker.out" || flow_fail "the broker does not get ready"
  kafka=127.0.0.1:$(cat "$flow_dir/broker/port")
else
  echo "skipped: no Kafka broker to be had, HTTP and TCP alone"
fi
flow_free_port http
flow_free_port tcp
"$python" "$root/tests/flow/fault/fault.py" "$tocsin" --http "$http" --tcp "$tcp" --rounds "${TOCSIN_ROUNDS:-30}" \
  ${TOCSIN_SEED:+--seed "$TOCSIN_SEED"} ${kafka:+--kafka "$kafka"}
