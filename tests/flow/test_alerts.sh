#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Alerts are states: a real Alertmanager opens an incident and resolves it; amtool does the same by
# our own API v2; PagerDuty's trigger, acknowledge and resolve meet in one incident; what cannot be
# matched to one changes nothing.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v curl > /dev/null || flow_skip "no curl here"
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start

incidents() { "$tocsin" incidents --url "$flow_url" --json "$@"; }
has() { incidents --state "$1" | grep -q "$2"; }
hasnt() { ! has "$1" "$2"; }
post() { # post PATH BODY: the status
  curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url$1" \
    -H 'Content-Type: application/json' -d "$2"
}
requests() { # of Alertmanager, so far
  curl -fsS "$flow_url/metrics" | sed -n 's/^tocsin_webhook_requests_total{integration="alertmanager"} //p'
}
heard_since() { [ "$(requests)" -gt "$1" ]; }
event() { # event ACTION
  post /v2/enqueue "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"disk-7\",
    \"event_action\":\"$1\",\"payload\":{\"summary\":\"Disk full\",\"source\":\"db7.example.org\",
    \"severity\":\"critical\"}}"
}

# ---- PagerDuty ----------------------------------------------------------------------------------
[ "$(event trigger)" = 202 ] || flow_fail "trigger: $(cat "$flow_dir/answer")"
flow_wait 10 has open db7.example.org || flow_fail "a trigger opens nothing"
id=$(incidents --state open | grep db7.example.org | sed -n 's/^{"id":"\([^"]*\)".*/\1/p')
[ "$(event acknowledge)" = 202 ] || flow_fail "acknowledge: $(cat "$flow_dir/answer")"
flow_wait 10 has acknowledged "$id" || flow_fail "acknowledge does not reach $id: $(incidents)"
[ "$(event trigger)" = 202 ] || flow_fail "second trigger"
[ "$(event resolve)" = 202 ] || flow_fail "resolve: $(cat "$flow_dir/answer")"
flow_wait 10 has resolved "$id" || flow_fail "resolve does not reach $id: $(incidents)"
[ "$(incidents | grep -c db7.example.org)" = 1 ] || flow_fail "more than one incident: $(incidents)"
flow_note "PagerDuty: trigger, acknowledge and resolve meet in $id"
[ "$(post /v2/enqueue '{"routing_key":"k","dedup_key":"never seen","event_action":"resolve"}')" = 202 ] ||
  flow_fail "a resolve of nothing is not taken"
[ "$(post /v2/enqueue '{"event_action":"trigger"}')" = 400 ] || flow_fail "a faulty event is taken"
flow_note "a resolve of nothing is taken and changes nothing"

# ---- keys that are no strings -------------------------------------------------------------------
number() { # number ACTION KEY
  post /v2/enqueue "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":$2,
    \"event_action\":\"$1\",\"payload\":{\"summary\":\"numbered\",\"source\":\"n$2.example.org\",
    \"severity\":\"critical\"}}"
}
for key in 42 18446744073709551615; do
  [ "$(number trigger $key)" = 202 ] || flow_fail "trigger of $key: $(cat "$flow_dir/answer")"
  flow_wait 10 has open "n$key.example.org" || flow_fail "key $key opens nothing"
  [ "$(number resolve $key)" = 202 ] || flow_fail "resolve of $key: $(cat "$flow_dir/answer")"
  flow_wait 10 has resolved "n$key.example.org" || flow_fail "the resolve of $key finds nothing"
done
flow_note "a key that is a number resolves what it opened"

# ---- two replicas of one Alertmanager, before and after a restart, and a regrouping -----------------
replica() { # replica STATUS HOST FINGERPRINT GROUP
  post /webhooks/alertmanager "{\"version\":\"4\",\"groupKey\":\"{}:{$4}\",\"receiver\":\"tocsin\",
    \"status\":\"$1\",\"externalURL\":\"http://$2:9093\",\"alerts\":[{\"status\":\"$1\",
    \"labels\":{\"alertname\":\"HaSolo\",\"instance\":\"h$3\",\"severity\":\"critical\"},
    \"annotations\":{},\"startsAt\":\"$began\",\"fingerprint\":\"00000000000000$3\",
    \"endsAt\":\"$([ "$1" = firing ] && echo 0001-01-01T00:00:00Z || flow_date)\"}]}"
}
began=$(flow_date -120)
[ "$(replica firing am-0 aa 'n=1')" = 200 ] || flow_fail "firing: $(cat "$flow_dir/answer")"
[ "$(replica firing am-0 ab 'n=2')" = 200 ] || flow_fail "firing: $(cat "$flow_dir/answer")"
opened() { [ "$(incidents | grep HaSolo | grep -c "\"state\":\"open\"")" = "$1" ]; }
flow_wait 10 opened 2 || flow_fail "two groups do not open two incidents: $(incidents)"
[ "$(replica resolved am-1 aa 'n=1')" = 200 ] || flow_fail "resolved: $(cat "$flow_dir/answer")"
flow_wait 10 opened 1 || flow_fail "the other replica's resolve finds nothing: $(incidents)"
flow_stop || flow_fail "it does not stop"
flow_start
[ "$(replica firing am-1 ab 'regrouped')" = 200 ] || flow_fail "firing: $(cat "$flow_dir/answer")"
[ "$(replica resolved am-1 ab 'regrouped')" = 200 ] || flow_fail "resolved: $(cat "$flow_dir/answer")"
flow_wait 10 opened 0 || flow_fail "after a reload with other groups it stays open: $(incidents)"
[ "$(incidents | grep -c HaSolo)" = 2 ] || flow_fail "the regrouping opened another: $(incidents)"
flow_note "what one replica opens the other resolves, whatever the group is called"
"$tocsin" report --url "$flow_url" --by rule --json > "$flow_dir/report" || flow_fail "no report"
grep -q '"key":"alertmanager/HaSolo","title":"HaSolo","opened":2' "$flow_dir/report" &&
  grep -q '"key":"pagerduty/numbered","title":"numbered"' "$flow_dir/report" && ! grep -q '"key":"none"' "$flow_dir/report" ||
  flow_fail "the report by rule does not say which alerts: $(cat "$flow_dir/report")"
flow_note "a report by rule names alerts by their sender and name"

# ---- what is no alert -----------------------------------------------------------------------------
[ "$(post /webhooks/alertmanager '{"version":"4","groupKey":"odd","alerts":["oddity of a string",null,
  {"status":"firing","annotations":{"summary":"oddity of an object"}}]}')" = 200 ] ||
  flow_fail "odd alerts: $(cat "$flow_dir/answer")"
keeps() { [ "$("$tocsin" search --data "$flow_dir/data" "$1" | grep -c oddity)" = "$2" ]; }
flow_wait 10 keeps 'oddity of a' 2 || flow_fail "what is no alert is not kept"
curl -fsS "$flow_url/metrics" > "$flow_dir/metrics"
grep -q '^tocsin_webhook_unread_total{integration="alertmanager",reason="no_object"} 2$' "$flow_dir/metrics" &&
  grep -q '^tocsin_webhook_unread_total{integration="alertmanager",reason="no_labels"} 1$' "$flow_dir/metrics" ||
  flow_fail "what is no alert is not counted: $(grep unread "$flow_dir/metrics")"
flow_note "what is no alert is kept whole, searched, counted by reason"

# ---- equal bodies -------------------------------------------------------------------------------
# These senders give no id of an event: the same bytes again are another event, not a repetition.
send() { # send SENDER trigger|resolve
  case $1 in
  v2) post /v2/enqueue "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"twice\",
    \"event_action\":\"$2\",\"payload\":{\"summary\":\"Down\",\"source\":\"twice-v2\",\"severity\":\"error\"}}" ;;
  v1) post /generic/2010-04-15/create_event.json "{\"service_key\":\"k1\",\"event_type\":\"$2\",
    \"incident_key\":\"twice\",\"description\":\"Down\",\"details\":{\"host\":\"twice-v1\"}}" ;;
  opsgenie) if [ "$2" = trigger ]; then
    post /v2/alerts '{"message":"Down","alias":"twice","priority":"P1","details":{"host":"twice-opsgenie"}}'
  else
    post '/v2/alerts/twice/close?identifierType=alias' '{"source":"x"}'
  fi ;;
  alertmanager) post /webhooks/alertmanager "{\"version\":\"4\",\"groupKey\":\"twice\",\"alerts\":[{
    \"status\":\"$([ "$2" = trigger ] && echo firing || echo resolved)\",\"fingerprint\":\"f7\",
    \"labels\":{\"alertname\":\"Down\",\"host\":\"twice-alertmanager\",\"severity\":\"critical\"},
    \"startsAt\":\"2026-01-02T03:04:05Z\",
    \"endsAt\":\"$([ "$2" = trigger ] && echo 0001-01-01T00:00:00Z || echo 2026-01-02T04:04:05Z)\"}]}" ;;
  esac
}
for sender in v2 v1 opsgenie alertmanager; do
  for round in 1 2 3; do
    for action in trigger resolve; do
      [[ $(send $sender $action) = 20[02] ]] || flow_fail "$sender $action: $(cat "$flow_dir/answer")"
      state=$([ $action = trigger ] && echo open || echo resolved)
      flow_wait 10 has "$state" "twice-$sender" || flow_fail "$sender: $action $round is lost: $(incidents)"
    done
  done
  [ "$(incidents | grep -c "twice-$sender")" = 1 ] || flow_fail "$sender: not one incident: $(incidents)"
  flow_note "$sender: equal triggers and resolves in turn are each heard"
done

# ---- a real Alertmanager --------------------------------------------------------------------------
alertmanager=$(command -v prometheus-alertmanager || command -v alertmanager)
if [ -n "$alertmanager" ] && command -v amtool > /dev/null; then
  cat > "$flow_dir/alertmanager.yml" << EOF
route: {receiver: tocsin, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: tocsin
    webhook_configs: [{url: '$flow_url/webhooks/alertmanager', send_resolved: true}]
EOF
  flow_free_port port
  flow_background "$alertmanager" --config.file="$flow_dir/alertmanager.yml" --cluster.listen-address= \
    --storage.path="$flow_dir/alertmanager" --web.listen-address="127.0.0.1:$port" \
    > "$flow_dir/alertmanager.log" 2>&1
  am=http://127.0.0.1:$port
  flow_wait 30 curl -fsS "$am/-/ready" || flow_fail "$(cat "$flow_dir/alertmanager.log")"
  for n in 1 2; do
    amtool --alertmanager.url="$am" alert add alertname=SwitchDown instance=switch$n:9100 \
      severity=critical --annotation=summary="switch$n is down" || flow_fail "amtool"
  done
  flow_wait 20 has open SwitchDown || flow_fail "Alertmanager opens nothing: $(incidents)"
  [ "$(incidents | grep -c SwitchDown)" = 1 ] || flow_fail "not one incident for a group: $(incidents)"
  for n in 1 2; do
    seen=$(requests)
    amtool --alertmanager.url="$am" alert add alertname=SwitchDown instance=switch$n:9100 \
      severity=critical --annotation=summary="switch$n is down" --end="$(date -u +%FT%TZ)" ||
      flow_fail "amtool"
    flow_wait 20 heard_since "$seen" || flow_fail "Alertmanager says nothing"
    [ $n = 2 ] || hasnt resolved SwitchDown || flow_fail "resolved while one still fires"
  done
  flow_wait 20 has resolved SwitchDown || flow_fail "nothing resolves: $(incidents)"
  flow_note "Alertmanager: a group is one incident, resolved when its last alert is"

  # the same tool against our own API v2
  amtool --alertmanager.url="$flow_url" alert add alertname=DiskFull instance=db9:9100 \
    severity=error || flow_fail "amtool against us"
  flow_wait 10 has open DiskFull || flow_fail "API v2 opens nothing: $(incidents)"
  amtool --alertmanager.url="$flow_url" alert add alertname=DiskFull instance=db9:9100 \
    severity=error --end="$(date -u +%FT%TZ)" || flow_fail "amtool against us"
  flow_wait 10 has resolved DiskFull || flow_fail "API v2 resolves nothing: $(incidents)"
  flow_note "API v2: amtool opens and resolves"
else
  echo "skipped: no Alertmanager here (prometheus-alertmanager)"
fi
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_note "SIGTERM ends with 0"
