#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the subcommands promise to other programs: their shapes, what goes to which output, and how
# they end: 0 done, 1 the answer is no, 2 wrong use, 3 could not be finished.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
export TOCSIN_DATA=$flow_dir/data
cd "$flow_dir" || exit 2
failed=0

run() { # run STATUS ARGUMENT... : its outputs are in `o` and `e`
  local want=$1 status=0
  shift
  said="tocsin $*"
  "$tocsin" "$@" > o 2> e < "${input:-/dev/null}" || status=$?
  [ $status -eq "$want" ] || miss "ends with $status, not $want: $(tail -n 2 e)"
}
miss() {
  echo "FAIL: $said: $*"
  failed=$((failed + 1))
}
out() { grep -qE -- "$1" o || miss "no /$1/ in: $(head -c 400 o)"; }
err() { grep -qE -- "$1" e || miss "no /$1/ on standard error: $(head -c 400 e)"; }
lost() { # lost ARGUMENT... : what is asked with nowhere to write the answer is not done
  local status=0
  said="tocsin $* > /dev/full"
  "$tocsin" "$@" > /dev/full 2> e < /dev/null || status=$?
  [ $status -eq 3 ] || miss "ends with $status, not 3: $(tail -n 2 e)"
  err 'could not be written'
}
no_out() { [ -z "$1" ] && { [ ! -s o ] || miss "writes: $(head -c 200 o)"; return; }; ! grep -qE -- "$1" o || miss "/$1/ is in: $(head -c 400 o)"; }
no_err() { [ ! -s e ] || miss "says: $(head -c 200 e)"; }
lines() { [ "$(wc -l < o)" -eq "$1" ] || miss "$(wc -l < o) lines, not $1: $(head -c 400 o)"; }
json() { # every line of the output is an object: looked at together at the end
  { printf '# %s\n' "$said"; cat o; } >> all_json
}
all_are_json() {
  command -v "$python" > /dev/null || { echo "skipped: are the lines JSON (no python3)"; return; }
  said="JSON lines"
  "$python" - all_json > e << 'EOT' || miss "$(cat e)"
import json, sys
said = ""
for line in open(sys.argv[1], "rb"):
    if line.startswith(b"# "):
        said = line
        continue
    try:
        assert isinstance(json.loads(line), dict)
    except Exception as why:
        sys.exit(print(said, line, why) or 1)
EOT
}

# ---- help and wrong use ----
for command in run check test explain replay parse search incidents incident report handover exceptions verify sources key; do
  run 0 $command --help
  out "^Usage: tocsin $command"
  out '--help'
  no_err
  run 2 $command --no-such-option
  err "unknown option '--no-such-option'.*tocsin $command --help"
  no_out ''
done
run 0 --help; out '^  replay '; no_err
run 0 version; out '^tocsin [0-9]'; no_err
run 0 --version; out '^tocsin [0-9]'
run 2; no_err
run 2 bogus; err "no command 'bogus'"; no_out ''
lost --help
lost version
run 2 parse --format; err 'a value is missing'
run 2 parse --null=3; err 'takes no value'
flow_note "help and wrong use"

# ---- parse ----
{
  printf '<86>Feb  5 00:00:01 h sshd[42]: Failed password for root from 1.2.3.4 port 22 ssh2\n'
  printf '<34>1 2014-02-05T00:00:01Z h app 42 ID47 [id k="v"] hello\n'
  printf 'abc \377\376 z\n'
  printf 'nul\0in\n'
  printf '{"time":"2014-02-05T00:00:01Z","a":1}\n'
} > records
run 0 parse --now 2014-02-06T00:00:00Z records
json; lines 5; no_err
out '^\{"line":1,"format":"rfc3164","time":"2014-02-05T00:00:01.000000Z","facility":10,"severity":6,"host":"h","program":"sshd","pid":"42","message":"Failed password for root from 1.2.3.4 port 22 ssh2","fields":\{.*"src_ip":"1.2.3.4".*\},"logsource":\{"product":"linux","service":"sshd"\},.*"flags":\[.*"year_assumed"'
out '^\{"line":2,"format":"rfc5424",.*"msgid":"ID47","message":"hello","structured_data":\{"id":\{"k":"v"\}\}'
out '^\{"line":3,"format":"raw",.*"raw_b64":"YWJjIP/\+IHo="'
out '^\{"line":4,.*"message":"nul\\u0000in"'
out '^\{"line":5,"format":"json","time":"2014-02-05T00:00:01.000000Z",.*"fields":\{.*"a":1'
cp o plain
input=records run 0 parse --now=2014-02-06T00:00:00Z; cmp -s o plain || miss 'standard input reads otherwise'
input=records run 0 parse --now=2014-02-06T00:00:00Z -; cmp -s o plain || miss "'-' reads otherwise"
printf 'Feb  5 00:00:01 h sshd[42]: x\n' > record
run 0 parse --format syslog --zone +01:00 --now 2014-02-06T00:00:00Z record
out '"time":"2014-02-04T23:00:01.000000Z"'
printf 'a\nb\0c\0' > record
run 0 parse --null --format raw record; lines 2; out '^\{"line":1,.*"message":"a\\nb"'; out '^\{"line":2,.*"message":"c"'
printf 'CEF:0|v|p|1|100|name|5|src=10.0.0.1\n' > record
run 0 parse --format cef record; out '"format":"cef"'
printf 'LEEF:1.0|v|p|1|100|src=10.0.0.1\n' > record
run 0 parse --format leef record; out '"format":"leef"'
printf 'level=info msg="a b"\n' > record
run 0 parse --format kv record; out '"format":"kv"'; out '"msg":"a b"'
run 2 parse --format bogus record; err "not 'bogus'"; no_out ''
run 2 parse --zone Mars record; err "not 'Mars'"
run 2 parse --now whenever record; err whenever
run 3 parse missing; err 'missing'; no_out ''
flow_note "parse"

# ---- check ----
mkdir -p rules other bad
rule() { # rule UUID-DIGIT NAME LEVEL SELECTION
  printf 'title: Title of %s\nid: %s0000000-0000-4000-8000-000000000000\nname: %s\nstatus: test\nlevel: %s\nlogsource: {product: linux, service: sshd}\ndetection:\n  selection: {%s}\n  condition: selection\n' "$2" "$1" "$2" "$3" "$4"
}
correlation() { # correlation LEAST [LEVEL]
  printf 'title: Guessing\nid: 20000000-0000-4000-8000-000000000000\nname: guessing\nstatus: test\nlevel: %s\ncorrelation:\n  type: event_count\n  rules: [failed]\n  group-by: [src_ip]\n  timespan: 60s\n  condition: {gte: %s}\n' "${2:-high}" "$1"
}
rule 1 failed medium 'outcome: failure' > rules/failed.yml
correlation 3 > rules/guessing.yml
rule 1 failed medium 'outcome: failure' > other/failed.yml
correlation 4 > other/guessing.yml
rule 3 login critical 'outcome: success' > other/login.yml
rule 4 broken low 'user|contans: x' > bad/broken.yml
run 0 check --json rules; json; no_err
out '^\{"rules":1,"correlations":1,"filters":0,"decoders":[0-9]+,.*"errors":0,"warnings":[0-9]+'
run 1 check --json rules bad; json; no_err
out '^\{"file":"[^"]*bad/broken.yml","line":8,"column":[0-9]+,"severity":"error","code":"[^"]+","message":".*contans.*contains.*","rule":"40000000-'
tail -n 1 o | grep -q '"rules":1,.*"errors":1,' || miss "the last line does not count: $(tail -n 1 o)"
run 1 check bad; err 'broken.yml:8:[0-9]+: error: .*contans'; out '1 errors'
run 2 check; err 'name files'
run 1 check missing; err missing
printf 'suorces: []\nhttp: {listen: "127.0.0.1:0"}\n' > wrong.yml
run 1 check --json wrong.yml; out '"file":"wrong.yml","line":1,"column":1,"severity":"error",.*sources'
# value lists, the table of what was told, and what a correlation cannot hold
mkdir -p lists listed large
rule 7 listed low "user|expand: '%who%'" > listed/listed.yml
printf 'test: a listed user\nrules: [listed]\nevents:\n  - {at: 0s, log: "<38>sshd[1]: Failed password for root from 192.0.2.7 port 1 ssh2"}\nexpect:\n  - {detection: listed, times: 1}\n' > listed/listed.test.yml
printf 'root\n' > lists/who.txt
run 1 check --json listed; json; out '"refused":1,"codes":\{"unresolved-placeholder":1\}\}$'
run 0 check --lists lists listed
run 1 check listed; out '^ +1 error +unresolved-placeholder$'; out '1 of 1 rules and correlations are refused'
run 0 test --lists lists listed
run 1 test listed
rule 1 failed medium 'outcome: failure' > large/failed.yml
correlation 99999999 > large/guessing.yml
run 1 check large; err 'guessing.yml:7:[0-9]+: error: .*a threshold of more than'; out '^1 rules, 0 correlations'
# a configuration is checked as `run` reads it, and both say where
wrong() { # wrong LINE WORDS YAML: neither passes it
  printf "data: $flow_dir/never\n$3\n" > wrong_too.yml
  run 1 check wrong_too.yml; err "^wrong_too.yml:$1:[0-9]+: error: .*$2"
  run 2 run --config wrong_too.yml; err "^wrong_too.yml:$1:[0-9]+: error: .*$2"; err 'nothing was started'; no_out ''
  [ ! -e never ] || miss 'something was made'
}
wrong 3 syslog_tpc 'sources:\n  - syslog_tpc: {listen: "127.0.0.1:0"}'
wrong 4 "lisen.*listen" 'sources:\n  - syslog_tcp: {listen: "127.0.0.1:0"}\n  - syslog_udp: {lisen: x}'
wrong 3 'allow' 'sources:\n  - syslog_udp: {listen: "0.0.0.0:0"}'
wrong 3 '/nope' 'sources:\n  - syslog_tls: {listen: "127.0.0.1:0", certificate: /nope, key: /nope}'
wrong 3 webhok 'sinks:\n  - webhok: {url: x}'
wrong 3 "ulr.*url" 'sinks:\n  - webhook: {ulr: x}'
wrong 2 nosink 'routes: [{to: [nosink]}]'
wrong 2 99999 'http: {listen: "127.0.0.1:99999"}'
wrong 2 'not loopback' 'http: {listen: "0.0.0.0:8514"}'
wrong 2 'want an address' 'webhooks: {listen: "nowhere"}'
wrong 2 nonexist 'rules: [nonexist]'
wrong 2 nonexist 'overrides: nonexist'
wrong 2 nonexist 'entities: nonexist'
wrong 2 'nowhere' 'time: {zone: nowhere}'
wrong 2 'redis://host' 'redis: {url: nowhere}'
wrong 3 'want a path' 'sources:\n  - unix: {}'
wrong 3 'file to follow' 'sources:\n  - file: {}'
printf 'heka: 1\n' > unknown.yml
run 1 check unknown.yml; err '^unknown.yml:1:1: error'
run 2 run --config unknown.yml; err 'unknown.yml:1:1: .*heka'
# ... with the rules that it names, and what lies beside them
mkdir -p beside
cp rules/*.yml beside/
printf 'rules: [beside]\nhttp: {listen: "127.0.0.1:0"}\n' > right.yml
run 0 check --json right.yml; out '^\{"rules":1,"correlations":1,.*"configurations":1,"errors":0'
printf '10000000-0000-4000-8000-000000000000: {level: low}\n' > beside/overrides.yml
printf 'entities:\n  - {kind: host, name: db1, criticality: 1.5}\n' > beside/entities.yml
printf 'rules: [beside]\n' > beside/tocsin.yml
run 0 check --json beside; out '"entities":1,"errors":0,"warnings":0'; out '"configurations":1'
rm beside/tocsin.yml
run 0 replay --rules beside /dev/null; no_err
printf '10000000-0000-4000-8000-000000000000: {levle: low}\n' > beside/overrides.yml
printf 'entities:\n  - {kind: host, nmae: db1}\n' > beside/entities.yml
run 1 check beside; err 'beside/overrides.yml:1:[0-9]+: error: .*levle'; err 'beside/entities.yml:2:[0-9]+: error: .*nmae'; out ' 2 errors'
run 1 check beside/overrides.yml beside/entities.yml; out ' 2 errors'
rule 9 refused low 'user|contans: x' > beside/refused.yml
run 1 check right.yml; err 'beside/refused.yml:8:[0-9]+: error: .*contans'
printf 'playbook: one\nsteps: []\n' > playbook.yml
run 0 check playbook.yml; err 'playbook.yml:1:1: warning: playbooks are not read'; out ' 1 warnings'
lost check rules
lost check --json rules
flow_note "check"

# ---- replay ----
for n in 1 2 3 4 5; do
  echo "<38>1 2014-02-05T00:00:0${n}Z h sshd 42 - - Failed password for root from ::ffff:1.2.3.4 port 22 ssh2"
done > log
echo '<38>1 2014-02-05T00:00:07Z h sshd 42 - - Accepted password for root from 1.2.3.4 port 22 ssh2' >> log
run 0 replay --rules rules log; json; no_err; lines 1
out '^\{"line":3,"input":"log","time":"2014-02-05T00:00:03.000000Z","kind":"correlation","rule":\{"id":"20000000-[0-9-]*","name":"guessing","title":"Guessing"\},"level":"high","group":\{"src_ip":"1.2.3.4"\},"entities":\[\{"kind":"address","value":"1.2.3.4"\}.*\],"evidence":\[1,2,3\]'
cp o plain
gzip -c log > log.gz
run 0 replay --rules rules --detections - log.gz; sed 's/log.gz/log/' o | cmp -s - plain || miss 'gzip reads otherwise'
if command -v zstd > /dev/null; then
  zstd -q log -o log.zst
  run 0 replay --rules rules log.zst; sed 's/log.zst/log/' o | cmp -s - plain || miss 'zstd reads otherwise'
fi
input=log run 0 replay --rules rules -; lines 1; out '^\{"line":3,'
run 0 replay --rules rules --detections file log; no_out ''; cmp -s file plain || miss '--detections FILE differs'
run 0 replay --rules rules/failed.yml --rules rules/guessing.yml log; cmp -s o plain || miss 'files one by one differ from their folder'
run 0 replay --rules rules --fire level log; lines 3
run 0 replay --rules rules --fire consume log; lines 1
run 0 replay --rules rules --fire edge log; cmp -s o plain || miss 'edge is not the default'
run 0 replay --rules rules --workers 2 --shards 3 log; cmp -s o plain || miss 'workers and shards change the answer'
run 0 replay --rules rules --rules other/login.yml log log; lines 3
out '^\{"line":6,"input":"log",.*"kind":"rule",.*"level":"critical"'
{ sed -n 3p log; sed -n 1,2p log; } > late
run 0 replay --rules rules --lateness 10s late; lines 1; out '^\{"line":1,.*"time":"2014-02-05T00:00:03.000000Z"'
printf '{"outcome":"failure"}\n' > event
run 0 replay --rules rules/failed.yml --format json event; lines 0
run 0 replay --rules rules/failed.yml --logsource any --format json event; lines 1
mkdir -p decoders
printf 'decoder: mine\nprogram: [mine]\nlogsource: {product: linux, service: sshd}\npatterns:\n  - {name: nope, pcre2: "^nope (?<user>\\\\S+)", set: {outcome: failure}}\n' > decoders/mine.yml
echo '<38>1 2014-02-05T00:00:01Z h mine 42 - - nope bob' > mine
run 0 replay --rules rules/failed.yml mine; lines 0
run 0 replay --rules rules/failed.yml --decoders decoders mine; lines 1; no_err
run 0 replay --rules rules --rules other/login.yml --incidents - log; json; no_err
out '"kind":"incident",.*"score":[0-9.]+,.*"contributions":\[\{"rule":"30000000-.*"p":'
run 0 replay --rules rules --stats stats --detections - log; cmp -s o plain || miss '--stats changes detections'
grep -q '^{"rule":"10000000-.*"evaluated":5,"matched":5,"fired":0,"ns":[0-9]*,"limits":0}$' stats || miss "stats: $(cat stats)"
grep -q '^{"rule":"20000000-.*"evaluated":[1-9][0-9]*,"matched":[1-9][0-9]*,"fired":1,"ns":[0-9]*,"limits":0}$' stats || miss "stats of a correlation: $(cat stats)"
tail -n 1 stats | grep -q '^{"records":6,"bytes":[0-9]*,"detections":1,"seconds":.*"records_per_second":.*"peak_memory_bytes":[0-9]*,"truncated":0}$' || miss "totals: $(tail -n 1 stats)"
run 0 replay --rules rules --against other log; json
out '^\{"change":"new",.*30000000-'; out '^\{"change":"gone",'
mkdir -p louder
cp rules/failed.yml louder/
correlation 3 critical > louder/guessing.yml
run 0 replay --rules rules --against louder log; out '^\{"change":"changed",.*critical'; no_out '"change":"(new|gone)"'
run 0 replay --rules rules --against louder/failed.yml --against louder/guessing.yml --against other/login.yml log
out '"change":"changed"'; out '"change":"new"'; no_out '"change":"gone"'
# overrides may be one side: with and without, two of them, or the same rules under a file of that name
mkdir -p tuned
printf '20000000-0000-4000-8000-000000000000:\n  enabled: false\n' > tuned/overrides.yml
printf '20000000-0000-4000-8000-000000000000:\n  level: critical\n' > tuned/critical.yml
run 0 replay --rules rules --against tuned/overrides.yml log
out '^\{"change":"gone",.*20000000-'; out '^\{"change":"new",.*10000000-' # which is nobody's part now
run 0 replay --rules rules --overrides tuned/overrides.yml --against-overrides none log
out '^\{"change":"new",.*20000000-'; out '^\{"change":"gone",.*10000000-'
run 0 replay --rules rules --overrides tuned/overrides.yml --against rules --against-overrides tuned/critical.yml log
out '^\{"change":"new",.*critical'
run 0 replay --rules rules --overrides tuned/critical.yml --against rules log; no_out '"change"'
run 2 replay --rules rules --against-overrides missing.yml log; err 'missing.yml'; no_out ''
# standard input that cannot be read is not one that is empty
input=rules run 2 replay --rules rules --against louder -; err 'is a folder, not a file'; no_out ''
input=log run 0 replay --rules rules --against rules -; out '"changed":0,"same":[1-9]'
(exec < /proc/self/mem; "$tocsin" replay --rules rules --against louder - > o 2> e); status=$?
said='replay --against, its input unreadable'; [ $status -eq 3 ] || miss "ends with $status, not 3"; err '-: cannot read'; no_out ''
input=rules run 3 explain --rules rules; err 'is a folder, not a file'; no_out ''
(exec < /proc/self/mem; "$tocsin" explain --rules rules > o 2> e); status=$?
said='explain, its input unreadable'; [ $status -eq 3 ] || miss "ends with $status, not 3"; err 'cannot read'; no_out ''
run 2 replay log; err '--rules is missing'; no_out ''
run 2 replay --rules rules; err 'no input'
run 2 replay --rules rules --fire often log; err 'often'
run 2 replay --rules rules --logsource some log; err 'some'
run 2 replay --rules bad log; err 'contans'; err 'no rule could be used'
run 2 replay --rules missing log; err 'missing'; no_out ''
run 3 replay --rules rules missing; err 'missing'
run 2 replay --rules rules --detections /nonexistent/file log; err '/nonexistent/file'
run 3 replay --rules rules --detections /dev/full log; err 'could not be written'
run 0 replay --rules rules --rules bad log; err 'broken.yml:8'; err '^tocsin: 1 rules .*are refused'; cmp -s o plain || miss 'a broken rule stops the others'
printf '10000000-0000-4000-8000-000000000000:\n  levle: low\n' > broken_overrides.yml
run 2 replay --rules rules --overrides broken_overrides.yml log; err 'broken_overrides.yml:2:.*levle'; no_out ''
err "tocsin: broken_overrides.yml:2: unknown key 'levle'"
run 1 check --overrides broken_overrides.yml rules; err 'levle'; out '1 rules, 1 correlations.* 1 errors'
flow_note "replay"

# ---- test ----
cat > rules/guessing.test.yml << 'EOT'
test: guessing
rules: [failed, guessing]
events:
  - {at: 0s, every: 2s, repeat: 3, log: '<38>Feb  5 10:00:00 web1 sshd[1]: Failed password for root from 192.0.2.7 port 1 ssh2'}
expect:
  - {detection: guessing, at: 4s, group: {src_ip: 192.0.2.7}, times: 1}
  - {not: {incident: {}}}
EOT
sed 's/at: 4s, group/at: 5s, group/; s/test: guessing/test: too late/' rules/guessing.test.yml > other/late.test.yml
run 0 test rules; out '1 passed|1 timelines'
run 0 test --json rules; json
run 1 test other; cat e >> o; out 'expected: \{detection: guessing, at: 5s'; out 'what happened'
run 1 test --json other; json; out 'too late'; out '5s'
# a failure says why
mkdir -p why
cp rules/failed.yml rules/guessing.yml why/
rule 7 nowhere medium 'outcome: failure' | sed 's/product: linux, service: sshd/product: windows/' > why/nowhere.yml
cat > why/why.test.yml <<'EOT'
test: two of three
events:
  - {at: 1s, every: 1s, repeat: 2, log: '<38>Feb  5 00:00:00 web1 sshd[7]: Failed password for bob from 192.0.2.7 port 4 ssh2'}
  - {at: 9s, log: '<38>Feb  5 00:00:00 web1 sshd[7]: Accepted password for bob from 192.0.2.7 port 4 ssh2'}
expect:
  - {detection: guessing}
  - {detection: nowhere}
EOT
run 1 test why
out 'failed: 2 of 3 events matched'
out "1 from 9.000s on: selection .*: outcome equals 'failure' is false; the field is 'success'"
out 'within 60s: needed \{"gte":3\}, saw 2 at its end'
out 'nowhere: 0 of 3 events matched'
out 'log source: the rule is for \{"product":"windows"\}, the event is \{"product":"linux","service":"sshd"\}'
# what was refused is no test
echo 'title: [' > why/broken.yml
run 1 test --json why/why.test.yml; json; out '^\{"passed":0,"failed":1,"errors":1\}$'
run 2 test; err '.'
flow_note "test"

# ---- explain ----
run 0 explain --rules rules --rule failed --json log; json; lines 6; no_err
out '^\{"line":1,.*"title":"Title of failed".*"routed":true.*"matched":true,.*"field":"outcome","operator":"equals","operand":"failure","matched":true,"values":\["failure"\]'
out '^\{"line":6,.*"matched":false.*"values":\["success"\]'
head -n 2 log > two
run 0 explain --rules rules --rule guessing --json two; json; lines 1
out '"rule":"20000000-.*"needed":\{"gte":3\}.*"seen":2'
mkdir -p slow
cp rules/failed.yml slow/
{ cat rules/guessing.yml; printf 'tocsin: {lateness: 10s}\n'; } > slow/guessing.yml
run 0 explain --rules slow --rule guessing --json two; json; lines 1
out '"needed":\{"gte":3\}.*"seen":2' # what lateness held counts as well
run 0 explain --rules rules --json two; lines 3
cp o plain
input=two run 0 explain --rules rules --json -; cmp -s o plain || miss 'standard input is explained otherwise'
run 0 explain --rules rules two; out '"matched": true'
run 2 explain two; err '--rules is missing'
run 2 explain --rules rules --rule nope two; err "'nope'"; no_out ''
run 2 explain --rules rules --logsource some two; err "'some'"
run 2 explain --rules rules two two; err 'one FILE'
run 2 explain --rules bad two; err 'contans'; err 'nothing to explain'; no_out ''
run 3 explain --rules rules missing; err missing
flow_note "explain"

# ---- key ----
run 0 key add agent --scope events --expires 90d --rate 5; lines 1; err 'shown once'
key=$(cat o)
run 0 key list --json; json; lines 1; out '"name":"agent","scope":"events"'; no_out "$key"; no_err
run 0 key list; out 'agent'
run 0 key revoke agent; no_err
run 0 key list --json; out '"revoked":"20'
run 1 key revoke nobody; err nobody
run 2 key add other --scope nosuch; err "'nosuch'.*events, pagerduty"; no_out ''
run 0 key add wide --scope '*'; lines 1
run 2 key; err 'want add'
run 2 key add; err 'want add'
lost key list
lost key list --json
lost key add unseen; err 'is revoked'
run 0 key add unseen; lines 1; err 'shown once'
flow_note "key"

# ---- run ----
flow_config << EOT
sources:
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
rules: [$flow_dir/live]
sinks:
  - file: {path: incidents.jsonl}
EOT
mkdir -p live
cp rules/*.yml other/login.yml live/
rm live/*.test.yml
run 0 run --config tocsin.yml --data "$flow_dir/data" --print-config; no_err
out '^data: '; out '^  half_life: 1d'; out 'syslog_tcp'
cp o printed.yml
lost run --config tocsin.yml --print-config
run 0 run --config printed.yml --print-config; cmp -s o printed.yml || miss 'the printed configuration prints otherwise'
run 2 run --config wrong.yml; err 'wrong.yml:1:1: .*sources'; no_out ''
run 2 run --config missing.yml; err 'missing.yml'
run 2 run extra; err extra
: > "$flow_dir/err"
flow_start --detections "$flow_dir/live.jsonl"
grep -q '^ready syslog-tcp 127.0.0.1:[0-9]*$' out && grep -q '^ready http 127.0.0.1:[0-9]*$' out &&
  [ "$(tail -n 1 out)" = 'ready tocsin' ] && ! grep -qv '^ready ' out || flow_fail "not ready as said: $(cat out)"
send() { cat "$1" > "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"; }
api() { run "$1" "${@:2}" --url "$flow_url"; }
send log
flow_wait 20 bash -c "'$tocsin' incidents --json --url $flow_url | grep -q inc_" || flow_fail "no incident"
api 0 incidents --json; json; lines 1; no_err
out '^\{"id":"inc_[0-9A-Z]{26}","version".*"state":"open".*"priority":"P[1-5]","score"'
id=$(sed -n 's/^{"id":"\([^"]*\)".*/\1/p' o)
api 0 incidents; out "^$id "; out 'TITLE'
api 0 incidents --state open --json; lines 1
api 0 incidents --state closed --json; lines 0
api 2 incidents --state bogus --json; err "no state 'bogus': want any, open"; no_out ''
api 2 incidents extra; err extra
lost incidents --url "$flow_url"
lost report --json --url "$flow_url"
api 0 incident "$id"; out "$id"; out '^Evidence'; out '^SHARE'; out 'ack$'
api 0 incident "$id" assign --to ann --next-action 'look at h' ; out "^$id: open, P[1-5], [a-z]*, ann$"
api 0 handover; out 'owner: ann; next: look at h'
api 0 verify; out '^The chain is whole'
run 1 doctor --data data --url "$flow_url"; out 'runs and is ready'; out 'loudest rules'
api 0 incident "$id" --json; json; lines 1
for step in ack contain eradicate recover review close; do
  api 0 incident "$id" $step --by ada --note "$step" --disposition benign --json; json
done
api 2 incident "$id" reopen --by ada --disposition benign; err "'disposition' is nothing that reopen takes"
api 0 incident "$id" reopen --by ada --note reopen --json; json
api 0 incident "$id" note --by ada --note 'Words of a person' --json; api 0 incident "$id" --json; out 'Words of a person'
api 1 incident inc_00000000000000000000000000; err 404
api 2 incident; err 'want an ID'
api 0 report --json; json; lines 1; out '"acknowledge":\{.*"n":1.*"median'
for by in priority rule team; do api 0 report --by $by --since 24h --until 2100-01-01; out "times by $by"; out 'median'; done
api 2 report --by moon; err 'priority, rule or team'
api 0 handover --json; json; lines 1; out '"incidents":\['
api 0 verify --json; json; lines 1; out '"ok":true'
api 0 sources --json; json; lines 1; out '"hosts":\[\{.*"host":"h".*"last_seen":.*"rate"|"rate".*"last_seen"'
api 2 sources extra; err extra
# what is broken on a reload leaves what runs; what is whole is taken
cp bad/broken.yml live/
kill -HUP "$flow_pid"
flow_wait 20 grep -q 'contans' err || { said='SIGHUP'; miss 'the broken rule is not told'; }
rm live/broken.yml
correlation 2 > live/guessing.yml
kill -HUP "$flow_pid"
flow_wait 20 grep -q 'info: new rules' err || { said='SIGHUP'; miss 'new rules are not told'; }
sed 's/1\.2\.3\.4/1.2.3.9/' two > again
send again
flow_wait 20 bash -c "curl -fsS $flow_url/metrics | grep -q '^tocsin_detections_total 3'" ||
  { said='SIGHUP'; miss 'the new rule does not run'; }
flow_stop || flow_fail "SIGTERM does not end with 0"
cp live.jsonl o; said='run --detections'; json; lines 3
out '^\{"line":[0-9]+,"time":"2014-02-05T00:00:03.000000Z","kind":"correlation",'
run 1 doctor --data data --url http://127.0.0.1:9; out 'nothing answers'; out 'disk'
run 0 help rules; out '54 points'; run 1 help moon; err "no page 'moon'"
run 2 check --severity moon live; err '--severity is error, warning or hint'
run 3 incidents --url http://127.0.0.1:9; err 'does not answer'; no_out ''
flow_note "run and its API"

# ---- the journal, afterwards ----
run 0 search Failed; lines 7; no_err
run 0 search --json 'Accepted|nothing'; json; lines 1; out '"position":[0-9]+,"received":"20.*"raw":"<38>1 '
run 0 search --since 1h --until 2100-01-01 Failed; lines 7
run 1 search --until 2000-01-01 Failed; lines 0
run 1 search 'no such words'; no_out ''
run 2 search '('; err 'does not compile'
run 2 search; err PATTERN
run 3 search --data missing x; err missing
run 0 replay --rules live --journal; json
run 0 replay --rules rules --rules other/login.yml --journal --data data
grep -v 1.2.3.9 live.jsonl | cmp -s - o || miss "the journal does not give the live run's detections: $(cat o)"
run 0 replay --rules rules --journal --since 2100-01-01; lines 0
run 0 replay --rules rules --journal --until 2000-01-01; lines 0
run 3 replay --rules rules --journal --data missing; err missing
flow_note "search and replay of the journal"

all_are_json
[ $failed -eq 0 ] || { echo "$failed promises broken"; exit 1; }
