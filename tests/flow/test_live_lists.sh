#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Value lists and overrides of a running program: a changed file decides without a restart and
# without a signal, is journaled as every swap, keeps the windows; a broken one keeps the old.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v "$python" > /dev/null || flow_skip "no python3 here"
mkdir -p "$flow_dir/rules" "$flow_dir/lists"
cat > "$flow_dir/rules/watched.yml" << 'EOF'
title: Watched user
name: watched
logsource: {product: linux}
detection:
  selection:
    user|expand: '%watched%'
  condition: selection
level: low
---
title: Watched user three times
name: thrice
correlation:
  type: event_count
  rules: [watched]
  group-by: [src_ip]
  timespan: 1h
  condition: {gte: 3}
  generate: true
level: medium
---
title: From a watched network
name: network
logsource: {product: linux}
detection:
  selection:
    src_ip|cidr|expand: '%networks%'
  condition: selection
level: low
EOF
# refused from the start, for its list is missing: that keeps nobody from reloading the others
cat > "$flow_dir/rules/waiting.yml" << 'EOF'
title: Waits for its list
name: waiting
logsource: {product: linux}
detection:
  selection:
    user|expand: '%later%'
  condition: selection
level: low
EOF
printf 'carol\n' > "$flow_dir/lists/watched.txt"
printf '192.0.2.0/24\n' > "$flow_dir/lists/networks.txt"
printf '{}\n' > "$flow_dir/overrides.yml"
flow_config << EOF
rules: ['$flow_dir/rules']
lists: '$flow_dir/lists'
overrides: '$flow_dir/overrides.yml'
sources:
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start --detections "$flow_dir/detections"
tcp=$(flow_port syslog-tcp)

say() { # say USER ADDRESS
  "$python" -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(sys.argv[2].encode() + b"\n")
s.shutdown(socket.SHUT_WR)
s.recv(1)' "$tcp" "<38>sshd[1]: Failed password for $1 from $2 port 4000 ssh2"
}
count() { grep -c "\"name\":\"$1\"" "$flow_dir/detections"; }
has() { [ "$(count "$1")" = "$2" ]; }
log_has() { # log_has N TEXT
  [ "$(grep -c "$2" "$flow_dir/err")" -ge "$1" ]
}
swap() { # swap N : the N-th change was taken
  flow_wait 20 log_has "$1" 'changed value lists or overrides decide now' || flow_fail "change $1 is not taken"
}

say carol 198.51.100.1
flow_wait 10 has watched 1 || flow_fail "the first list does not match"
say dave 198.51.100.1
printf 'dave\ncarol\n' > "$flow_dir/lists/watched.txt"
swap 1
say dave 198.51.100.1
say carol 198.51.100.1
flow_wait 10 has watched 3 || flow_fail "the new list matches $(count watched) times, not 3"
flow_wait 10 has thrice 1 || flow_fail "the window did not live on"
flow_note "a changed list decides, the window of before goes on"

cat > "$flow_dir/overrides.yml" << 'EOF'
watched:
  not: {match: {user: dave}, owner: ada, reason: on holiday, end: 2999-01-01}
EOF
swap 2
say dave 198.51.100.2
say carol 198.51.100.2
flow_wait 10 has watched 4 || flow_fail "an exception changes nothing: $(count watched)"
cat > "$flow_dir/overrides.yml" << 'EOF'
watched:
  not: {match: {user: dave}, owner: ada, reason: on holiday, end: 2020-01-01}
EOF
swap 3
say dave 198.51.100.2
flow_wait 10 has watched 5 || flow_fail "an exception that ended still holds: $(count watched)"
flow_note "exceptions come and end"

printf 'no network\n' > "$flow_dir/lists/networks.txt"
flow_wait 20 log_has 1 'overrides refused, the old ones stay' || flow_fail "a broken list is not refused"
grep -q "rules/watched.yml:.*'no network' is no network" "$flow_dir/err" || flow_fail "nobody says what is broken"
say erin 192.0.2.7
flow_wait 10 has network 1 || flow_fail "the old list does not hold"
flow_note "a broken list is named, the old one stays"

# what the rules did so far, as the API tells it
figure() { # figure RULE MEMBER
  curl -fsS "$flow_url/api/v1/rules" | "$python" -c 'import json, sys
for r in json.load(sys.stdin)["rules"]:
    if sys.argv[1] in (r["rule"], r["title"]): print(json.dumps(r[sys.argv[2]]))' "$1" "$2"
}
[ "$(figure watched matched)" -ge 5 ] && [ "$(figure watched fired)" -ge 5 ] ||
  flow_fail "the API counts no hits: $(curl -fsS "$flow_url/api/v1/rules")"
[ "$(figure thrice evaluated)" -ge 3 ] && [ "$(figure thrice matched)" -ge 1 ] && [ "$(figure thrice fired)" -ge 1 ] ||
  flow_fail "the API does not know what the correlation saw: $(curl -fsS "$flow_url/api/v1/rules")"
case $(figure thrice last_fired) in '"20'*Z\") ;; *) flow_fail "when it fired last is not told: $(figure thrice last_fired)" ;; esac
[ "$(figure network last_fired)" != null ] && [ "$(figure thrice true_positives)" = 0 ] &&
  [ "$(figure thrice false_positives)" = 0 ] && [ "$(figure thrice precision)" = null ] ||
  flow_fail "what people said of a rule is not told: $(curl -fsS "$flow_url/api/v1/rules")"
flow_note "the API tells what each rule and correlation saw, fired, and when"

# overrides that are broken are refused with their place, and nothing of them holds
printf 'watched:\n  level: hihg\n' > "$flow_dir/overrides.yml"
flow_wait 20 log_has 2 'overrides refused, the old ones stay' || flow_fail "broken overrides are not refused"
grep -q "stay: $flow_dir/overrides.yml:2: .*hihg" "$flow_dir/err" ||
  flow_fail "nobody says where the overrides are broken: $(grep 'old ones stay' "$flow_dir/err")"
code=$(curl -s -o "$flow_dir/reload" -w '%{http_code}' -X POST "$flow_url/api/v1/reload")
[ "$code" = 422 ] && grep -q '{"file":"'"$flow_dir"'/overrides.yml","line":2,"column":10,' "$flow_dir/reload" ||
  flow_fail "the API does not say where ($code): $(cat "$flow_dir/reload")"
printf 'watched:\n  not: {match: {user: dave}, owner: ada, reason: on holiday, end: 2020-01-01}\n' > "$flow_dir/overrides.yml"
flow_note "broken overrides are told with file and line"

# a rule that somebody is writing waits for its own reload
printf 'title: Anybody\nname: anybody\nlogsource: {product: linux}\ndetection: {s: {user|exists: true}, condition: s}\n' > "$flow_dir/rules/new.yml"
printf '192.0.2.0/24\n203.0.113.0/24\n' > "$flow_dir/lists/networks.txt"
swap 4
say erin 203.0.113.7
flow_wait 10 has network 2 || flow_fail "the mended list does not hold"
has anybody 0 || flow_fail "a list's change loaded a new rule"
curl -fsS "$flow_url/api/v1/rules" | grep -q "\"file\":\"$flow_dir/rules/watched.yml\"" ||
  flow_fail "the API does not name the rule's own file"
events() { curl -fsS "$flow_url/metrics" | sed -n 's/^tocsin_rules_events_total //p'; }
before=$(events)
kill -HUP "$flow_pid"
flow_wait 20 log_has 1 'new rules rules=3' || flow_fail "SIGHUP loads nothing"
say frank 198.51.100.9
flow_wait 10 has anybody 1 || flow_fail "the new rule does not match"
# what did not change goes on counting
[ "$(events)" -gt "$before" ] || flow_fail "SIGHUP zeroes the events: $(events) after $before"
[ "$(figure watched fired)" -ge 5 ] && [ "$(figure watched matched)" -ge 5 ] && [ "$(figure thrice evaluated)" -ge 3 ] &&
  [ "$(figure thrice fired)" -ge 1 ] || flow_fail "SIGHUP zeroes what the rules did: $(curl -fsS "$flow_url/api/v1/rules")"
flow_note "rules themselves wait for SIGHUP; those that did not change go on counting"

printf 'grace\n' > "$flow_dir/lists/later.txt"
swap 5
say grace 198.51.100.9
flow_wait 10 has waiting 1 || flow_fail "a list that came later does not bring its rule"
printf 'title: Broken\nlogsource: {product: linux}\ndetection: {s: {user: x}, condition: t}\n' > "$flow_dir/rules/broken.yml"
kill -HUP "$flow_pid"
flow_wait 20 log_has 2 'reload refused' || flow_fail "broken rules are taken"
rm "$flow_dir/rules/broken.yml"
curl -fsS "$flow_url/metrics" > "$flow_dir/metrics" || flow_fail "metrics"
grep -q '^tocsin_reloads_total 6$' "$flow_dir/metrics" && grep -q '^tocsin_reloads_refused_total 4$' "$flow_dir/metrics" ||
  flow_fail "not counted: $(grep reloads "$flow_dir/metrics")"
flow_note "a list that was missing brings its rule; broken rules are refused"

# the same once more from the journal: the swaps are in it
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
printf 'mallory\n' > "$flow_dir/lists/watched.txt"
flow_start --detections "$flow_dir/again"
grep -q "decided by today's rules" "$flow_dir/err" && flow_fail "the rules of before are gone"
tcp=$(flow_port syslog-tcp)
say mallory 198.51.100.3
flow_wait 10 grep -q '"name":"watched"' "$flow_dir/again" || flow_fail "the list of the start does not match"
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_note "a restart reads each list's time with that list"
