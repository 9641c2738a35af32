#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A line that an agent wrapped fires the rule that the plain line fires, under the usual names, though
# the envelope's mapping has names of its own for them.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
cat > "$flow_dir/rule.yml" << 'EOF'
title: A guess
id: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d0001
status: test
logsource: {product: linux, service: sshd}
detection: {s: {src_ip: 192.0.2.7, user: root}, condition: s}
level: low
EOF
line='Nov 28 11:00:00 web1 sshd[7]: Failed password for root from 192.0.2.7 port 22 ssh2'
fires() { # fires WHAT JSON
  printf '%s\n' "$2" > "$flow_dir/in"
  [ "$("$tocsin" replay --rules "$flow_dir/rule.yml" --detections - "$flow_dir/in" | wc -l)" = 1 ] ||
    flow_fail "$1: $("$tocsin" parse "$flow_dir/in")"
}
fires plain "<38>$line"
fires 'Filebeat, nested' '{"@timestamp":"2026-11-28T11:00:00.000Z","message":"'"$line"'","log":{"file":{"path":"/var/log/auth.log"},"offset":10},"agent":{"type":"filebeat","name":"web1"},"input":{"type":"log"},"ecs":{"version":"8.0.0"},"host":{"name":"web1"}}'
fires 'Filebeat, other order' '{"ecs":{"version":"1.12.0"},"agent":{"type":"filebeat"},"message":"'"$line"'","@timestamp":"2026-11-28T11:00:00.000Z","log":{"file":{"path":"/var/log/secure"}}}'
fires Docker '{"log":"<38>'"$line"'\n","stream":"stdout","time":"2026-11-28T11:00:00Z"}'
fires 'Fluent Bit' '{"date":1795863600.1,"log":"'"$line"'","kubernetes":{"container_name":"sshd","pod_name":"a"}}'
flow_note "wrapped lines fire as plain ones do"
