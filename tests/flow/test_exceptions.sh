#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A false positive leaves exceptions; who says later that it was none takes them back: by reopening, by
# another disposition, or one alone.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
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
alarm() {
  exec 9<> "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
  # to the microsecond: what is older than the closing belongs to the episode that was closed
  echo "<38>1 $(date -u -d "$(flow_offset_s) seconds" +%Y-%m-%dT%H:%M:%S.%6NZ) $1 app - - - sound the bell" >&9
  exec 9>&-
}
detections() { curl -fsS "$flow_url/metrics" | sed -n 's/^tocsin_record_detections_total //p'; }
excepted() { curl -fsS "$flow_url/metrics" | sed -n 's/^tocsin_record_excepted_total //p'; }
more_than() { [ "$($1)" -gt "$2" ]; }
ring() { # and wait until it is decided
  local before
  before=$(detections)
  alarm "$1"
  flow_wait 10 more_than detections "$before" || flow_fail "an alarm of $1 is not decided"
}
open_id() { "$tocsin" incidents --url "$flow_url" --json --state open | grep "\"$1\"" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p'; }
has_open() { [ -n "$(open_id "$1")" ]; }
exceptions() { "$tocsin" exceptions --url "$flow_url" --json "$@"; }
incident() { "$tocsin" incident --url "$flow_url" "$@" > "$flow_dir/said" 2>&1 || flow_fail "incident $*: $(cat "$flow_dir/said")"; }
wrong() { # wrong HOST : an incident of it, closed as a false positive; its id in $id
  ring "$1"
  flow_wait 10 has_open "$1" || flow_fail "an alarm of $1 opens nothing"
  id=$(open_id "$1")
  incident "$id" close --by ada --disposition false_positive
  exceptions | grep -q "\"value\":\"$1\".*\"incident\":\"$id\"" || flow_fail "no exception of $1: $(exceptions)"
  local before
  before=$(excepted)
  ring "$1"
  [ "$(excepted)" -gt "$before" ] || flow_fail "the exception of $1 keeps nothing back"
  [ -z "$(open_id "$1")" ] || flow_fail "an excepted alarm of $1 opens an incident"
}
is_charged() { # is_charged HOST : none is left, the next alarm counts
  exceptions | grep -q "\"value\":\"$1\"" && flow_fail "an exception of $1 is left: $(exceptions)"
  local before
  before=$(excepted)
  ring "$1"
  [ "$(excepted)" = "$before" ] || flow_fail "$1 is not charged"
  flow_wait 10 has_open "$1" || flow_fail "an alarm of $1 opens nothing after the exception went"
}
has_withdrawal() { "$tocsin" incident "$id" --url "$flow_url" --json | grep -q '"kind":"exception.withdrawn"'; }

wrong bell1
incident "$id" reopen --by ada --note 'it was one'
is_charged bell1
has_withdrawal || flow_fail "the withdrawal is not on the incident's timeline"
flow_note "reopening takes back what a false positive left"

wrong bell2
incident "$id" triage --by ada --disposition true_positive
is_charged bell2
flow_note "so does another disposition"

wrong bell3
wrong bell4
kept=$id
name=$(exceptions | grep '"value":"bell3"' | sed -n 's/^{"id":"\([^"]*\)".*/\1/p')
[ -n "$name" ] || flow_fail "an exception has no id: $(exceptions)"
exceptions withdraw "$name" --by ada --reason 'the host is not harmless' | grep -q "$name" || flow_fail "withdraw"
is_charged bell3
exceptions | grep -q "\"value\":\"bell4\".*$kept" || flow_fail "another's exception went too"
exceptions withdraw "$name" > "$flow_dir/said" 2>&1 && flow_fail "what is gone was withdrawn again"
grep -q 'no such exception' "$flow_dir/said" || flow_fail "it does not say that there is none"
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_start
exceptions | grep -q '"value":"bell3"' && flow_fail "after a restart it is back"
exceptions | grep -q '"value":"bell4"' || flow_fail "after a restart the other is gone"
id=$kept
incident "$id" reopen --by ada
is_charged bell4
flow_note "one alone can be withdrawn; all of it lasts over a restart"
flow_stop || flow_fail "SIGTERM did not end with 0"
