#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad input: rules, folders, ports and programs that are not what they should be, and records of any
# bytes. Each has a clear message or a counter, and none stops the rest.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
cd "$flow_dir" || exit 2

says() { # says STATUS PATTERN COMMAND... : ends so, and says so on standard error
  local want=$1 pattern=$2 status=0
  shift 2
  "$@" > answer 2> said || status=$?
  [ $status -eq "$want" ] || flow_fail "$*: ends with $status, not $want: $(cat said)"
  grep -qE -- "$pattern" said || flow_fail "$*: no /$pattern/ in: $(cat said)"
}

# ---- rules: each refused by name, the whole ones run ----
mkdir rules
rule() { # rule UUID-DIGIT NAME SELECTION
  printf 'title: %s\nid: %s0000000-0000-4000-8000-000000000000\nname: %s\nstatus: test\nlevel: critical\nlogsource: {product: linux, service: sshd}\ndetection:\n  selection: {%s}\n  condition: selection\n' "$2" "$1" "$2" "$3"
}
rule 1 whole 'outcome: success' > rules/a_whole.yml
printf 'title: [broken\nid: x\n' > rules/broken.yml
rule 1 twice 'outcome: failure' > rules/duplicate.yml
rule 3 modifier 'user|contans: x' > rules/modifier.yml
rule 4 pattern "user|re: '(unclosed'" > rules/pattern.yml
ln -s /nonexistent/rule.yml rules/unreadable.yml
mkdir -p rules/folder.yml
rule 6 below 'user: below' > rules/folder.yml/below.yml
echo '<38>1 2014-02-05T00:00:07Z h sshd 42 - - Accepted password for root from 192.0.2.7 port 22 ssh2' > login
refusals=('broken.yml:[0-9]+:[0-9]+: error' 'duplicate.yml:[0-9]+:[0-9]+: error: .*(10000000|whole)'
  'modifier.yml:8:[0-9]+: error: .*contans.*contains' 'pattern.yml:8:[0-9]+: error: .*parenthesis'
  'unreadable.yml.*No such file')
"$tocsin" replay --rules rules login > out 2> said || flow_fail "broken rules end a replay: $(cat said)"
for refusal in "${refusals[@]}"; do
  grep -qE "$refusal" said || flow_fail "no /$refusal/ in: $(cat said)"
done
[ "$(grep -c '"name":"whole"' out)" -eq 1 ] || flow_fail "the whole rule did not run: $(cat out)"
says 1 'broken.yml' "$tocsin" check rules
grep -q '^2 rules, .* [45] errors' answer || flow_fail "check counts otherwise: $(cat answer)"
flow_note "broken rules are named, the others run"

# ---- folders, ports, programs ----
config() { # config [MORE LINES]
  flow_config << EOT
sources:
  - syslog_tcp: {listen: '127.0.0.1:${port:-0}'}
http: {listen: '127.0.0.1:0'}
$1
EOT
}
start() { says "$1" "$2" "$tocsin" run --config tocsin.yml --data data "${@:3}"; }
config "rules: [$flow_dir/missing]"
start 2 'tocsin.yml:4:9: .*missing: No such file'
config "rules: [$flow_dir/rules]"$'\n'"lists: $flow_dir/login"
start 2 'tocsin.yml:5:8: .*login: Not a directory'
config "rules: [$flow_dir/rules]"
start 3 'login.*: Not a directory' --data "$flow_dir/login"
says 2 'redis-server.* not installed' env PATH=/nonexistent "$tocsin" run --config tocsin.yml --data data
printf 'webhooks: {listne: x}\n' > wrong.yml
says 1 "wrong.yml:1:[0-9]+: error: webhooks: unknown key 'listne': did you mean 'listen'" "$tocsin" check wrong.yml
printf 'sources:\n  - syslog_udp: {listen: x}\n  - syslog_tpc: {}\n' > wrong.yml
says 1 "wrong.yml:3:[0-9]+: error: 'syslog_tpc' is no kind of source" "$tocsin" check wrong.yml
flow_note "check reads the doors of a configuration"
flow_note "a missing folder, a file in place of one, no redis-server: each is said"

# ---- it runs, with the broken rules still there ----
flow_start
for refusal in "${refusals[@]}"; do
  grep -qE "$refusal" err || flow_fail "run does not tell /$refusal/"
done
port=$(flow_port syslog-tcp) config "rules: [$flow_dir/rules]"
start 3 "127.0.0.1:$(flow_port syslog-tcp) is in use" --data "$flow_dir/other"
config "rules: [$flow_dir/missing]"
kill -HUP "$flow_pid"
flow_wait 20 grep -qE 'missing: No such file' err || flow_fail "a reload does not tell the missing folder"
flow_note "a busy port is said; a reload without its folder leaves the old rules"

# ---- records of any bytes ----
counter() { curl -fsS "$flow_url/metrics" | awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }'; }
at_least() { [ "$(counter "$1")" -ge "$2" ]; }
has_candidate() { "$tocsin" incidents --kind any --json --url "$flow_url" | grep -q "$1"; }
long=$(head -c 1000000 /dev/zero | tr '\0' 'a')
{
  printf '<38>1 2014-02-05T00:00:01Z h app - - - %s\n' "$long"
  printf '<38>1 2014-02-05T00:00:02Z h app - - - bytes \377\376\200 that are no UTF-8\n'
  printf '<38>1 2014-02-05T00:00:03Z h app - - - before\0behind\n'
  printf '\n\n<>\n<999>1\n\r\n'
  printf '%s\n' "$(cat login)"
} > records
cat records > "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
flow_wait 20 has_candidate 192.0.2.7 || flow_fail "the rule did not see the login behind bad records"
flow_wait 10 at_least tocsin_source_truncated_total 1 || flow_fail "the long line is not counted"
received=$(counter tocsin_source_received_total)
processed=$(counter tocsin_records_processed_total)
dropped=$(counter tocsin_source_dropped_total)
[ "$processed" -ge "$((received - dropped))" ] || flow_fail "received $received, dropped $dropped, processed $processed"
flow_stop || flow_fail "SIGTERM does not end with 0"
"$tocsin" search --data data 'no UTF-8' --json > found || flow_fail "the bytes are not in the journal"
grep -q '"raw":".*\\u00ff.*","raw_b64":"' found || flow_fail "search does not give the bytes: $(cat found)"
"$tocsin" search --data data 'before.behind|before' > found || flow_fail "the NUL's record is not in the journal"
flow_note "a line of 1 MB, no UTF-8, a NUL, empty lines: counted or kept, and the rest goes on"

# ---- the same in a file ----
"$tocsin" parse --format syslog records > parsed 2> said || flow_fail "parse: $(cat said)"
grep -q '"message":"bytes \\u00ff.*,"raw_b64":"' parsed || flow_fail "the bytes are not kept: $(sed -n 2p parsed)"
grep -q '"message":"before\\u0000behind"' parsed || flow_fail "the NUL is not kept"
head -n 1 parsed | grep -q '"truncated"' || flow_fail "the long line: $(head -n 1 parsed | head -c 300)"
tail -n 1 parsed | grep -q '"user":"root"' || flow_fail "the last record is not read: $(tail -n 1 parsed)"
"$tocsin" replay --rules rules records > out 2> said || flow_fail "replay: $(cat said)"
grep -q '"name":"whole"' out || flow_fail "the login in a file is not detected"
flow_note "the same from a file"
