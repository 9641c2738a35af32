#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The doors of agents that people run already: rsyslogd's omelasticsearch and
# Elastic's own Python client as they are where they are installed; the shapes of others (Splunk's
# HEC, GELF, OTLP, Loki, Filebeat) by curl. The same line of sshd comes in through each: a
# rule must find the address in it, and documents of _bulk must stand in the journal. RSYSLOGD and RSYSLOG_MODULES as in test_senders.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v curl > /dev/null || flow_skip "no curl here"
rsyslogd=${RSYSLOGD:-$(command -v rsyslogd || echo /usr/sbin/rsyslogd)}
modules=${RSYSLOG_MODULES:-$(dirname "$(find /usr/lib -name imuxsock.so 2> /dev/null | head -n 1)")}
mkdir "$flow_dir/rules"
cat > "$flow_dir/rules/failed.yml" << 'EOF'
title: A login of somebody that failed
id: 5f0b4c6e-5d2f-4b43-9c36-0d8a5f0e7a11
status: test
logsource: {product: linux, service: sshd}
detection:
  selection: {src_ip|cidr: 192.0.2.0/24, user|startswith: door-}
  condition: selection
level: low
EOF
flow_config << EOF
sources: []
rules: ['$flow_dir/rules']
webhooks: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start --detections "$flow_dir/detections"
port=$(flow_port webhooks)
key=$("$tocsin" key add --data "$flow_dir/data" agents | grep -oE '[A-Za-z0-9]{32}' | head -n 1)
[ -n "$key" ] || flow_fail "no key"
url=http://127.0.0.1:$port
line() { echo "Failed password for invalid user door-$1 from 192.0.2.9 port 4711 ssh2"; }
seen=0
detections() { grep -c . "$flow_dir/detections"; }
is_detected() { [ "$(detections)" = "$1" ]; }
expect() { # expect COUNT WHAT
  seen=$((seen + $1))
  flow_wait 30 is_detected $seen || flow_fail "$2: $(detections) of $seen detections"
  flow_note "$2: $1"
}
want() { # want STATUS ANSWER WHAT curl's arguments...
  local status
  status=$(curl -s -o "$flow_dir/answer" -w '%{http_code}' "${@:4}")
  { [ "$status" = "$1" ] && { [ -z "$2" ] || grep -qF -- "$2" "$flow_dir/answer"; }; } ||
    flow_fail "$3: $status, not $1: $(head -c 300 "$flow_dir/answer")"
}
flow_wait 10 curl -fsS -o /dev/null -H "Authorization: Splunk $key" "$url/services/collector/health" ||
  flow_fail "a new key is not seen"

# ---- shapes of agents, by curl ----
hec="{\"time\":$(date +%s).25,\"host\":\"web1\",\"source\":\"sshd\",\"sourcetype\":\"syslog\",\"event\":\"$(flow_date 0 '%b %e %H:%M:%S') web1 sshd[7]: $(line hec)\"}"
want 200 '{"text":"Success","code":0}' "HEC" -H "Authorization: Splunk $key" -d "$hec$hec" "$url/services/collector"
expect 2 "HEC, two events without anything between"
want 403 '"code":4' "a wrong token" -H "Authorization: Splunk ${key//[a-z]/x}" -d "$hec" "$url/services/collector"
want 401 '"code":2' "no token" -d "$hec" "$url/services/collector"
want 200 '"code":0' "raw" -H "Authorization: Splunk $key" -H 'Content-Type: text/plain' \
  --data-binary "$(flow_date 0 '%b %e %H:%M:%S') web1 sshd[7]: $(line raw)" "$url/services/collector/raw?channel=1"
expect 1 "HEC, raw lines"
want 202 '' "GELF" -H "X-Api-Key: $key" -H 'Transfer-Encoding: chunked' -H 'Content-Encoding: gzip' --data-binary \
  @<(echo "{\"version\":\"1.1\",\"host\":\"web1\",\"short_message\":\"$(line gelf)\",\"level\":6,\"_program\":\"sshd\"}" | gzip) "$url/gelf"
expect 1 "GELF, packed and in chunks"
want 200 '{"partialSuccess":{}}' "OTLP" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d \
  "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"sshd\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":\"web1\"}}]},\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"$(date +%s)000000000\",\"severityNumber\":9,\"body\":{\"stringValue\":\"$(line otlp)\"}}]}]}]}" "$url/v1/logs"
expect 1 "OTLP/HTTP JSON"
want 415 protobuf "protobuf" -H "Authorization: Bearer $key" -H 'Content-Type: application/x-protobuf' -d x "$url/v1/logs"
want 204 '' "Loki" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d \
  "{\"streams\":[{\"stream\":{\"program\":\"sshd\",\"host\":\"web1\"},\"values\":[[\"$(date +%s)000000000\",\"$(line loki)\"]]}]}" "$url/loki/api/v1/push"
expect 1 "Loki's push"
beat="{\"@timestamp\":\"$(flow_date 0 %Y-%m-%dT%H:%M:%SZ)\",\"message\":\"$(flow_date 0 '%b %e %H:%M:%S') web1 sshd[7]: $(line beat)\",\"log\":{\"file\":{\"path\":\"/var/log/auth.log\"}},\"agent\":{\"type\":\"filebeat\",\"name\":\"web1\"},\"input\":{\"type\":\"filestream\"},\"ecs\":{\"version\":\"8.0.0\"}}"
basic=(-u "elastic:$key")
curl -sI "${basic[@]}" "$url/" | grep -qi '^x-elastic-product: Elasticsearch' || flow_fail "no product in HEAD /"
want 200 '"number":"8.' "the version" "${basic[@]}" "$url/"
want 200 '' "a template" "${basic[@]}" -I "$url/_index_template/filebeat-8.19.0"
want 200 '' "a policy" "${basic[@]}" "$url/_ilm/policy/filebeat"
printf '{"create":{"_index":"filebeat-8.19.0"}}\n%s\n{"create":{"_index":"filebeat-8.19.0"}}\n{"a":\n' "$beat" > "$flow_dir/bulk"
want 200 '"errors":true' "_bulk" "${basic[@]}" -H 'Content-Type: application/x-ndjson' --data-binary "@$flow_dir/bulk" \
  "$url/_bulk?filter_path=errors%2Citems"
[ "$(grep -oE '"status":[0-9]+' "$flow_dir/answer" | tr '\n' ' ')" = '"status":201 "status":400 ' ] ||
  flow_fail "items: $(cat "$flow_dir/answer")"
found() { "$tocsin" search --data "$flow_dir/data" "door-$1" 2> /dev/null | grep -c .; }
is_journaled() { [ "$(found "$1")" = "$2" ]; } # is_journaled NAME COUNT
journaled() {                                  # journaled NAME COUNT WHAT
  flow_wait 30 is_journaled "$1" "$2" || flow_fail "$3: $(found "$1") of $2 in the journal"
  flow_note "$3: $2"
}
journaled beat 1 "Filebeat's _bulk, an item's fault told alone"
want 401 security_exception "no key" -d x "$url/_bulk"
# the console's root is its page, and asks no webhook's list of addresses
want 200 '<html' "the page" "$flow_url/"
want 200 'You Know, for Search' "below /elastic at the console's port" "$flow_url/elastic/"

# ---- rsyslogd ----
if [ -x "$rsyslogd" ] && [ -e "$modules/omelasticsearch.so" ]; then
  mkdir "$flow_dir/rsyslog"
  cat > "$flow_dir/rsyslog/conf" << EOF
global(workDirectory="$flow_dir/rsyslog")
module(load="imuxsock" SysSock.Use="off")
module(load="omelasticsearch")
input(type="imuxsock" Socket="$flow_dir/rsyslog/in" UseSysTimeStamp="off" RateLimit.Interval="0")
template(name="es" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="program" name="programname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
action(type="omelasticsearch" server="127.0.0.1" serverport="$port" template="es" bulkmode="on"
  searchIndex="logs" searchType="" uid="elastic" pwd="$key" usehttps="off" retryfailures="off"
  errorfile="$flow_dir/rsyslog/errors")
EOF
  "$rsyslogd" -n -f "$flow_dir/rsyslog/conf" -i "$flow_dir/rsyslog/pid" -M "$modules" > "$flow_dir/rsyslog/log" 2>&1 &
  flow_pids+=($!)
  flow_wait 10 test -S "$flow_dir/rsyslog/in" || flow_fail "rsyslogd: $(cat "$flow_dir/rsyslog/log")"
  for _ in $(seq 50); do line rsyslog; done | logger --socket "$flow_dir/rsyslog/in" -t sshd
  journaled rsyslog 50 "rsyslogd's omelasticsearch"
else
  echo "skipped: rsyslogd's omelasticsearch is not here (rsyslog-elasticsearch)"
fi

# ---- Elastic's client ----
if "$python" -c 'import elasticsearch' 2> /dev/null; then
  "$python" - "$url" "$key" "$(line client)" > "$flow_dir/client" 2>&1 << 'EOF'
import sys, warnings
warnings.simplefilter("ignore")
from elasticsearch import Elasticsearch, helpers
url, key, line = sys.argv[1:]
es = Elasticsearch([url], http_auth=("elastic", key))
print(es.info()["version"]["number"], es.ping())
print(helpers.bulk(es, ({"_op_type": "create", "_index": "logs", "_id": str(n),
                         "_source": {"program": "sshd", "host": "web1", "message": line}} for n in range(50))))
EOF
  grep -q '^(50, \[\])' "$flow_dir/client" || flow_fail "Elastic's client: $(cat "$flow_dir/client")"
  journaled client 50 "Elastic's own client"
else
  echo "skipped: Elastic's client is not here (python3-elasticsearch)"
fi
flow_stop || flow_fail "SIGTERM does not end with 0"
