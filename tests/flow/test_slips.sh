#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What check says of slips of the pen that load well and never match: names of fields that nothing
# gives, operators under names from elsewhere. And that it says it in little memory.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
head='id: 6f1de6a0-4b52-4d70-8f0f-0b7a5d1c2a11
name: base
title: base
level: low
status: test'
says() { # says WHAT PATTERN YAML [FILES...] : PATTERN "" is silence on fields
  printf '%s\n' "$3" > "$flow_dir/rule.yml"
  "$tocsin" check "$flow_dir/rule.yml" "${@:4}" > "$flow_dir/said" 2>&1
  if [ -n "$2" ]; then
    grep -qE "$2" "$flow_dir/said" || flow_fail "$1: no /$2/ in $(head -n 5 "$flow_dir/said")"
  else
    ! grep -q 'unknown-field' "$flow_dir/said" || flow_fail "$1: $(grep unknown-field "$flow_dir/said")"
  fi
}
rule() { # rule LOGSOURCE FIELDS
  printf '%s\nlogsource: %s\ndetection:\n  s: %s\n  condition: s' "$head" "$1" "$2"
}
correlation() { # correlation GROUP-BY CONDITION [TYPE]
  printf '%s\n---\ntitle: c\nid: 6f1de6a0-4b52-4d70-8f0f-0b7a5d1c2a12\nlevel: low\nstatus: test\ncorrelation: {type: %s, rules: [base], group-by: [%s], timespan: 5m, condition: %s}' \
    "$(rule '{product: linux, service: sshd}' '{action: login}')" "${3:-event_count}" "$1" "$2"
}
sshd='{product: linux, service: sshd}'
says "right names" '' "$(rule "$sshd" '{action: login, outcome: failure, src_ip: 192.0.2.1, message|contains: abcd}')"
says "a letter less" "warning: .*'outcom'; did you mean 'outcome'\?" "$(rule "$sshd" '{action: login, outcom: failure}')"
says "two letters turned" "warning: .*'srv_ip|'scr_ip'; did you mean 'src_ip'\?" "$(rule "$sshd" '{scr_ip: 192.0.2.1}')"
says "with modifiers" "rule.yml:[0-9]+:[0-9]+: warning: .*'usre'; did you mean 'user'\?" "$(rule "$sshd" '{"usre|contains|all": [ab, cd]}')"
says "another case" "(hint|warning): .*'Outcome'; did you mean 'outcome'\?" "$(rule "$sshd" '{Outcome: failure}')"
says "what an event may bring" '' "$(rule '{product: aws, service: cloudtrail}' '{eventName: ConsoleLogin, additionalEventData.MFAUsed: "No"}')"
says "a log source that nothing gives" '' "$(rule '{product: made_up}' '{anything: x}')"
cat > "$flow_dir/decoder.yml" << 'EOF'
decoder: gauge
program: gauge
logsource: {product: gauge}
patterns:
  - name: level
    pcre2: '^level (?<level>\d+) at (?<site>\w+)$'
EOF
says "a decoder's names are all there are" "warning: .*gives 'pressure'" "$(rule '{product: gauge}' '{pressure: 7}')" "$flow_dir/decoder.yml"
says "a decoder's own names" '' "$(rule '{product: gauge}' '{level: 7, site: x, host: h, program: gauge}')" "$flow_dir/decoder.yml"
says "group-by" "warning: .*'source_ip'; did you mean 'src_ip'\?" "$(correlation source_ip '{gte: 10}')"
says "group-by, a letter" "warning: .*'src_i'; did you mean 'src_ip'\?" "$(correlation src_i '{gte: 10}')"
says "group-by that is right" '' "$(correlation 'src_ip, user' '{gte: 10}')"
says "a counted field" "warning: .*'usser'; did you mean 'user'\?" "$(correlation src_ip '{field: usser, gte: 3}' value_count)"
flow_note "fields that nothing gives"

for slip in ge:gte le:lte geq:gte leq:lte ne:neq min:gte; do
  says "${slip%:*} in a condition" "did you mean '${slip#*:}'" "$(correlation src_ip "{${slip%:*}: 10}")"
done
for slip in ge:gte le:lte regex:re begins:startswith ends:endswith; do
  says "${slip%:*} as a modifier" "did you mean '${slip#*:}'" "$(rule "$sshd" "{\"user|${slip%:*}\": 10}")"
done
flow_note "operators under other names"

{
  printf '%s\nlogsource: %s\ndetection:\n' "$head" "$sshd"
  for i in $(seq 0 2999); do echo "  s$i: {f$i: v}"; done
  printf '  condition: 1 of s*'
  printf ' and 1 of s*%.0s' $(seq 5000)
  echo
} > "$flow_dir/great.yml"
memory=400000 # KiB of addresses
grep -q __asan_init "$tocsin" && memory=unlimited # a sanitizer's shadow is larger than any machine
(ulimit -v $memory && "$tocsin" check "$flow_dir/great.yml") > "$flow_dir/said" 2>&1
grep -q 'error: the condition names the same selections again and again, more than 32768 .*\[limit\]' "$flow_dir/said" || flow_fail "a great condition: $(head -c 400 "$flow_dir/said")"
flow_note "a condition of millions of parts, by name and in little memory"
