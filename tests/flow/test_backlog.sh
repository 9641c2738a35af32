#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# More than the workers can do at once: what is durable waits in the journal and is decided from
# there, in order, once; over a reload, a stop and a SIGKILL in the middle of it.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v "$python" > /dev/null || flow_skip "no python3 here"
lines=400000
grep -qa __asan_init "$tocsin" && lines=200000
mkdir "$flow_dir/rules"
rule() { # rule NAME DIGIT
  cat > "$flow_dir/rules/$1.yml" << EOF
title: $1
id: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d000$2
name: $1
status: test
logsource: {product: linux, service: sshd}
detection:
  selection: {message|contains: '$1 '}
  condition: selection
level: low
EOF
}
rule wanted 1
flow_config << EOF
rules: [share, '$flow_dir/rules']
sources:
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
# every thousandth line is wanted, the one behind it is for a rule that comes later
cat > "$flow_dir/flood.py" << 'EOF'
import socket, sys
port, first, count = map(int, sys.argv[1:])
words = {0: "wanted ", 1: "later "}
lines = []
for i in range(first, first + count):
    word = words.get(i % 1000, "passing ")
    lines.append(f"<38>1 2014-02-05T00:00:01Z h{i % 50} sshd 7 - - {word}n={i} {'x' * 20}\n")
s = socket.create_connection(("127.0.0.1", port))
s.sendall("".join(lines).encode())
s.close()
EOF
flood() { "$python" "$flow_dir/flood.py" "$(flow_port syslog-tcp)" "$1" "$lines"; }
counter() {
  curl -fsS "$flow_url/metrics" |
    awk -v name="$1" 'index($0, name) == 1 { sum += $2 } END { printf "%d\n", sum }'
}
at_least() { [ "$(counter "$1")" -ge "$2" ]; }
waited() { at_least tocsin_backlog_records_total 1 || flow_fail "the workers were never behind"; }
positions() { # positions RULE FILE...
  cat "${@:2}" | grep "\"name\":\"$1\"" | grep -o '"line":[0-9]*' | cut -d: -f2
}
many=$((lines / 1000))

# ---- a reload in the middle: the journal's order decides who meets the new rule ----
flow_start --detections "$flow_dir/first.jsonl"
flood 0
rule later 2
code=$(curl -s -o "$flow_dir/reload" -w '%{http_code}' -X POST "$flow_url/api/v1/reload")
[ "$code" = 200 ] || flow_fail "reload: $(cat "$flow_dir/reload")"
echo "<38>1 2014-02-05T00:00:02Z h sshd 7 - - later than the reload" \
  > "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
flow_wait 60 at_least tocsin_records_processed_total $((lines + 1)) ||
  flow_fail "not all was decided: $(counter tocsin_records_processed_total)"
waited
flow_wait 10 grep -q '"name":"later"' "$flow_dir/first.jsonl" ||
  flow_fail "what was sent after the reload did not meet its rule"
[ "$(counter "tocsin_backlog_records ")" = 0 ] || flow_fail "something is left behind"
flow_stop || flow_fail "SIGTERM does not end with 0"
[ "$(positions wanted "$flow_dir/first.jsonl" | wc -l)" = $many ] ||
  flow_fail "wanted $many: $(positions wanted "$flow_dir/first.jsonl" | wc -l)"
grep -o '"line":[0-9]*' "$flow_dir/first.jsonl" | cut -d: -f2 > "$flow_dir/order"
sort -nc "$flow_dir/order" || flow_fail "detections out of order"
# a thousand lines lie between two that the new rule wants: from the first on it met each
met=$(positions later "$flow_dir/first.jsonl" | head -n -1 |
  awk 'NR > 1 && $1 - before > 1010 { bad = 1 } { before = $1 } END { print bad ? "holes" : NR }')
[ "$met" != holes ] || flow_fail "the new rule did not meet all behind its swap"
flow_note "a reload amid $lines lines: all decided, in order; the new rule met the last $met"
rm "$flow_dir/rules/later.yml"
"$tocsin" replay --journal --data "$flow_dir/data" --rules "$flow_dir/rules" > "$flow_dir/again.jsonl"
cmp <(grep '"name":"wanted"' "$flow_dir/first.jsonl") "$flow_dir/again.jsonl" ||
  flow_fail "replay --journal decides otherwise"
flow_note "replay --journal gives the same bytes"

# ---- a stop in the middle: the next start decides the rest, nothing twice ----
rm -rf "$flow_dir/data"
flow_start --detections "$flow_dir/a.jsonl"
flood 0
flow_wait 60 at_least tocsin_source_put_total "$lines" || flow_fail "not all was read"
flow_stop || flow_fail "SIGTERM amid a backlog does not end with 0"
flow_start --detections "$flow_dir/b.jsonl"
flood "$lines"
both() { [ "$(positions wanted "$flow_dir"/[ab].jsonl | wc -l)" -ge $((2 * many)) ]; }
flow_wait 60 both || flow_fail "after a stop: $(positions wanted "$flow_dir"/[ab].jsonl | wc -l)"
waited
flow_stop || flow_fail "SIGTERM does not end with 0"
[ "$(positions wanted "$flow_dir"/[ab].jsonl | sort -u | wc -l)" = $((2 * many)) ] ||
  flow_fail "lost over a stop"
[ -z "$(positions wanted "$flow_dir"/[ab].jsonl | sort | uniq -d)" ] || flow_fail "twice over a stop"
flow_note "SIGTERM amid a backlog: the rest after the start, none lost, none twice"

# ---- a SIGKILL in the middle ----
rm -rf "$flow_dir/data"
flow_start --detections "$flow_dir/c.jsonl"
flood 0
flow_wait 60 at_least tocsin_source_put_total "$lines" || flow_fail "not all was read"
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
journaled=$("$tocsin" search --data "$flow_dir/data" 'wanted n=' | wc -l)
flow_start --detections "$flow_dir/d.jsonl"
survived() {
  [ "$(positions wanted "$flow_dir"/[cd].jsonl | sort -u | wc -l)" -ge "$journaled" ]
}
flow_wait 60 survived ||
  flow_fail "lost over a SIGKILL: $(positions wanted "$flow_dir"/[cd].jsonl | sort -u | wc -l) of $journaled"
flow_stop || flow_fail "SIGTERM does not end with 0"
flow_note "SIGKILL amid a backlog: all $journaled that the journal holds were decided"
