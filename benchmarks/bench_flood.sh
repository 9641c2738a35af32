#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A flood over UDP into the whole program with the rules that ship: what the kernel dropped, what the
# program dropped, what was decided, and how long the decisions took behind the last message.
#   bench_flood.sh BUILD_FOLDER [MESSAGES] [RATE] [DURABILITY]
set -eu
build=$(readlink -f "$1")
messages=${2:-1000000} rate=${3:-350000} durability=${4:-batch}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flood.XXXXXX")
pid=
end() {
  [ -z "$pid" ] || { kill -TERM "$pid" && wait "$pid"; } 2> /dev/null || true
  rm -rf "$dir"
}
trap end EXIT
cat > "$dir/tocsin.yml" << EOT
sources:
  - syslog_udp: {listen: '127.0.0.1:0', durability: $durability}
http: {listen: '127.0.0.1:0'}
EOT
"$build/app/tocsin" run --config "$dir/tocsin.yml" --data "$dir/data" > "$dir/out" 2> "$dir/err" &
pid=$!
for _ in $(seq 600); do
  grep -q '^ready tocsin' "$dir/out" && break
  read -rt 0.1 <> <(:) || true
done
port=$(sed -n 's/^ready syslog-udp .*:\([0-9]*\)$/\1/p' "$dir/out")
url=http://$(sed -n 's/^ready http //p' "$dir/out")
total() { awk -v want="$1" 'index($1, want) == 1 { sum += $2 } END { printf "%d", sum }' "$dir/metrics"; }
now() { date +%s%N; }
ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
memory() { awk -v want="$1:" '$1 == want { print int($2 / 1024) }' "/proc/$pid/status"; }
cpu=$(ticks)
begun=$(now)
"$build/benchmarks/bench_receive" --send udp "$port" "$messages" "$rate"
sent=$(now)
while :; do
  curl -fsS "$url/metrics" > "$dir/metrics"
  kernel=$(total 'tocsin_source_dropped_total{source="0",kind="syslog-udp",address="127.0.0.1:'"$port"'",reason="kernel"}')
  put=$(total tocsin_source_put_total)
  decided=$(total tocsin_records_processed_total)
  [ $((put + kernel)) -ge "$messages" ] && [ "$decided" -ge "$put" ] && break
  [ $(($(now) - sent)) -gt 120000000000 ] && break
  read -rt 0.2 <> <(:) || true
done
done_at=$(now)
awk -v m="$messages" -v k="$kernel" -v p="$put" -v d="$decided" -v r="$rate" -v b="$begun" -v s="$sent" \
  -v e="$done_at" -v c="$(($(ticks) - cpu))" -v hz="$(getconf CLK_TCK)" -v mem="$(memory VmHWM)" \
  -v drops="$(total tocsin_source_dropped_total)" -v durability="$durability" 'BEGIN {
  printf "{\"bench\":\"flood\",\"durability\":\"%s\",\"rate_limit\":%d,\"sent\":%d,\"sent_per_second\":%.0f,", durability, r, m, m / ((s - b) / 1e9)
  printf "\"kernel_drops\":%d,\"program_drops\":%d,\"put\":%d,\"decided\":%d,", k, drops - k, p, d
  printf "\"decided_after_s\":%.1f,\"cpu_s_per_million\":%.2f,\"peak_mb\":%d}\n", (e - s) / 1e9, c / hz * 1e6 / (p ? p : 1), mem }'
