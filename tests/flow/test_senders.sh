#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real senders against the real program: logger, loggen, rsyslogd (TCP, TLS with a client
# certificate, RELP over a kill -9), curl; then hostile ones. What came is looked up in the journal,
# and every door must account for each message. RSYSLOGD and RSYSLOG_MODULES may point to an
# rsyslogd that is not installed; what is missing is said to be skipped.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
support=$(dirname "$(readlink -f "$0")")/../support
for program in logger curl python3; do
  command -v $program > /dev/null || flow_skip "no $program here"
done
rsyslogd=${RSYSLOGD:-$(command -v rsyslogd || echo /usr/sbin/rsyslogd)}
modules=${RSYSLOG_MODULES:-$(dirname "$(find /usr/lib -name imuxsock.so 2> /dev/null | head -n 1)")}
ulimit -n "$(ulimit -Hn)"

# ---- certificates -----------------------------------------------------------------------------
certify() { # certify NAME SUBJECT ALTERNATIVE
  openssl req -newkey rsa:2048 -nodes -keyout "$flow_dir/$1.key" -subj "/CN=$2" \
    -out "$flow_dir/$1.csr" 2> /dev/null
  openssl x509 -req -in "$flow_dir/$1.csr" -CA "$flow_dir/ca.pem" -CAkey "$flow_dir/ca.key" \
    -CAcreateserial -days 2 -extfile <(echo "subjectAltName=$3") -out "$flow_dir/$1.pem" \
    2> /dev/null
}
tls_source=
if command -v openssl > /dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$flow_dir/ca.key" -subj '/CN=test authority' \
    -days 2 -out "$flow_dir/ca.pem" 2> /dev/null
  certify server localhost 'DNS:localhost,IP:127.0.0.1'
  certify client web1.example.org DNS:web1.example.org
  certify stranger web1.example.net DNS:web1.example.net
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$flow_dir/other.key" -subj /CN=web1.example.org \
    -days 2 -out "$flow_dir/other.pem" 2> /dev/null # its own authority
  tls_source="- syslog_tls: {listen: '127.0.0.1:0', certificate: $flow_dir/server.pem,
      key: $flow_dir/server.key, client_ca: $flow_dir/ca.pem, client_names: ['*.example.org']}"
else
  echo "skipped: TLS (no openssl to make certificates)"
fi

flow_free_port relp
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
  - syslog_tcp: {listen: '127.0.0.1:0', max_connections: 20000}
  $tls_source
  - relp: {listen: '127.0.0.1:$relp'}
  - unix: {path: $flow_dir/log.sock}
http: {listen: '127.0.0.1:0'}
EOF
flow_start
udp=$(flow_port syslog-udp)
tcp=$(flow_port syslog-tcp)
tls=$(flow_port syslog-tls)

found() { "$tocsin" search --data "$flow_dir/data" "$1" 2> /dev/null | grep -c .; }
found_exactly() { [ "$(found "$1")" = "$2" ]; }
found_distinct() { # found_distinct PATTERN COUNT: as many different numbers behind "n="
  [ "$("$tocsin" search --data "$flow_dir/data" "$1" | grep -o 'n=[0-9]*' | sort -u | wc -l)" = "$2" ]
}
expect() { # expect PATTERN COUNT WHAT
  flow_wait 30 found_exactly "$1" "$2" || flow_fail "$3: $(found "$1") of $2 came"
  flow_note "$3: $2"
}

# ---- logger -----------------------------------------------------------------------------------
say() { logger --server 127.0.0.1 "$@"; }
for n in 1 2 3; do
  say --port "$udp" --udp --rfc3164 -t probe "logger-udp-3164 n=$n"
  say --port "$udp" --udp --rfc5424 -t probe "logger-udp-5424 n=$n"
  say --port "$tcp" --tcp --rfc3164 -t probe "logger-tcp-3164 n=$n"
  say --port "$tcp" --tcp --rfc5424 -t probe "logger-tcp-5424 n=$n"
  say --port "$tcp" --tcp --rfc5424 --octet-count -t probe "logger-tcp-counted n=$n"
  logger --socket "$flow_dir/log.sock" -t probe "logger-unix n=$n"
done
for way in udp-3164 udp-5424 tcp-3164 tcp-5424 tcp-counted unix; do
  expect "logger-$way " 3 "logger $way"
done

# ---- loggen -----------------------------------------------------------------------------------
if command -v loggen > /dev/null; then
  loggen --inet --stream --number 5000 --rate 100000 --size 300 --active-connections 1 \
    127.0.0.1 "$tcp" > "$flow_dir/loggen" 2>&1 || flow_fail "loggen: $(cat "$flow_dir/loggen")"
  expect 'prg0\d+\[1234\]: seq: \d+, thread: \d+, runid: \d+, stamp: [^ ]+ P' 5000 "loggen TCP"
else
  echo "skipped: loggen is not installed (syslog-ng-core)"
fi

# ---- rsyslogd -----------------------------------------------------------------------------------
has_module() { [ -e "$modules/$1.so" ]; }
begin_rsyslog() { # begin_rsyslog NAME <<< its action
  mkdir -p "$flow_dir/$1"
  {
    echo "global(workDirectory=\"$flow_dir/$1\""
    [ "$1" != tls ] || echo "defaultNetstreamDriverCAFile=\"$flow_dir/ca.pem\"" \
      "defaultNetstreamDriverCertFile=\"$flow_dir/client.pem\"" \
      "defaultNetstreamDriverKeyFile=\"$flow_dir/client.key\""
    echo ')'
    echo 'module(load="imuxsock" SysSock.Use="off")'
    echo "input(type=\"imuxsock\" Socket=\"$flow_dir/$1/in\" UseSysTimeStamp=\"off\"" \
      'RateLimit.Interval="0")'
    cat
  } > "$flow_dir/$1/conf"
  "$rsyslogd" -n -f "$flow_dir/$1/conf" -i "$flow_dir/$1/pid" -M "$modules" \
    > "$flow_dir/$1/log" 2>&1 &
  flow_pids+=($!)
  flow_wait 10 test -S "$flow_dir/$1/in" || flow_fail "rsyslogd: $(cat "$flow_dir/$1/log")"
}
feed() { # feed NAME FROM TO
  seq "$2" "$3" | sed "s/^/rsyslog-$1 n=/" | logger --socket "$flow_dir/$1/in" -t probe
}

if [ -x "$rsyslogd" ]; then
  begin_rsyslog tcp << EOF
action(type="omfwd" target="127.0.0.1" port="$tcp" protocol="tcp" TCP_Framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format")
EOF
  feed tcp 1 500
  expect 'rsyslog-tcp n=' 500 "rsyslogd TCP"

  driver=
  has_module lmnsd_ossl && driver=ossl
  has_module lmnsd_gtls && driver=gtls
  if [ -n "$driver" ] && [ -n "$tls_source" ]; then
    begin_rsyslog tls << EOF
action(type="omfwd" target="127.0.0.1" port="$tls" protocol="tcp" TCP_Framing="octet-counted"
  StreamDriver="$driver" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
  StreamDriverPermittedPeers="localhost" template="RSYSLOG_SyslogProtocol23Format")
EOF
    feed tls 1 500
    expect 'rsyslog-tls n=' 500 "rsyslogd TLS ($driver) with a client certificate"
  else
    echo "skipped: rsyslogd has no TLS here (rsyslog-openssl, rsyslog-gnutls)"
  fi

  if has_module omrelp; then
    begin_rsyslog relp << EOF
module(load="omrelp")
action(type="omrelp" target="127.0.0.1" port="$relp" template="RSYSLOG_SyslogProtocol23Format"
  action.resumeRetryCount="-1" action.resumeInterval="1" timeout="5"
  queue.type="LinkedList" queue.size="100000")
EOF
    feed relp 1 500
    flow_wait 30 found_distinct 'rsyslog-relp n=' 500 || flow_fail "RELP: not all came"
    flow_note "rsyslogd RELP: 500"
    # what was acknowledged survives kill -9, what was not comes again: nothing is lost
    feed relp 501 3000 &
    feeder=$!
    flow_wait 10 bash -c "[ \$('$tocsin' search --data '$flow_dir/data' 'rsyslog-relp n=' | wc -l) -gt 600 ]"
    kill -KILL "$flow_pid"
    wait "$flow_pid" 2> /dev/null
    flow_start
    wait $feeder
    tcp=$(flow_port syslog-tcp)
    tls=$(flow_port syslog-tls)
    flow_wait 60 found_distinct 'rsyslog-relp n=' 3000 || flow_fail \
      "RELP over kill -9: $("$tocsin" search --data "$flow_dir/data" 'rsyslog-relp n=' | grep -o 'n=[0-9]*' | sort -u | wc -l) of 3000"
    flow_note "rsyslogd RELP over kill -9: none of 3000 lost"
  else
    echo "skipped: rsyslogd has no RELP here (rsyslog-relp)"
  fi
else
  echo "skipped: rsyslogd is not installed"
fi

# ---- webhooks ---------------------------------------------------------------------------------
examples=${TOCSIN_EXAMPLES:-}
[ -n "$examples" ] || examples=${TOCSIN_CORPORA:+$TOCSIN_CORPORA/../reference/examples/inbound}
post() { # post PATH FILE STATUS [TYPE]
  local status
  status=$(curl -s -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url$1" \
    -H "Content-Type: ${4:-application/json}" --data-binary "@$2")
  [ "$status" = "$3" ] || flow_fail "$1 with $(basename "$2"): $status $(cat "$flow_dir/answer")"
}
if [ -d "$examples" ]; then
  for body in "$examples"/alertmanager_v4_*.json "$examples"/grafana_oncall_alertmanager.json; do
    post /webhooks/alertmanager "$body" 200
  done
  for body in "$examples"/grafana_webhook_v1_firing.json "$examples"/grafana_legacy.json; do
    post /webhooks/grafana "$body" 200
  done
  post /api/v2/alerts "$examples/alertmanager_api_v2_post_alerts.json" 200
  for body in "$examples"/pagerduty_v2_{trigger,acknowledge,resolve}.json \
    "$examples"/zabbix_via_pagerduty_media_*.json; do
    post /v2/enqueue "$body" 202
    grep -q '"status":"success"' "$flow_dir/answer" || flow_fail "$(cat "$flow_dir/answer")"
  done
  post /v2/change/enqueue "$examples/pagerduty_change_event.json" 202
  for body in "$examples"/pagerduty_v1_{trigger,acknowledge,resolve}.json; do
    post /generic/2010-04-15/create_event.json "$body" 200
  done
  post /v2/alerts "$examples/opsgenie_create_alert.json" 202
  post "/v2/alerts/6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b/close?identifierType=alias" \
    "$examples/opsgenie_close_alert.json" 202
  post /webhooks/cloudevents "$examples/cloudevents_structured.json" 202 application/cloudevents+json
  for body in "$examples"/{datadog_webhook_template,goalert_generic,icinga2_webhook_template}.json; do
    post /api/v1/events "$body" 200
  done
  flow_note "curl with the recorded bodies"
else
  echo "skipped: no recorded bodies (TOCSIN_EXAMPLES)"
fi

# a 2xx means durable: nothing that was answered is lost to a kill -9
for n in $(seq 1 40); do
  echo "{\"message\":\"answered n=$n\"}" > "$flow_dir/body"
  post /api/v1/events "$flow_dir/body" 200
done
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start
udp=$(flow_port syslog-udp)
tcp=$(flow_port syslog-tcp)
tls=$(flow_port syslog-tls)
expect '"answered n=' 40 "answered with 2xx, then kill -9"

# ---- hostile senders ----------------------------------------------------------------------------
# All at once, and in the same moment a well-meaning one, none of whose messages is lost.
most() { awk '/^VmHWM/ {print $2}' "/proc/$flow_pid/status"; }
hostile() { timeout 120 "$python" "$support/hostile.py" "$@"; }
begin() { # begin NAME PORT COUNT : in the background, from here on
  flow_background "$python" "$support/hostile.py" "$@" > "$flow_dir/$1"
  flow_wait 60 grep -q "^$1" "$flow_dir/$1" || flow_fail "$1: they do not connect"
}
http=${flow_url##*:}
before=$(most)
begin idle "$tcp" 10000
begin slow "$tcp" 100
[ -z "$tls_source" ] || begin half "$tls" 500
begin slowbody "$http" 60
begin steady "$tcp" "$udp"
steady_pid=${flow_pids[-1]}
hostile claim "$tcp" || flow_fail "4 GB claims"
hostile udp "$udp" || flow_fail "odd datagrams"
hostile relp "$relp" || flow_fail "odd RELP"
if [ -n "$tls_source" ]; then
  hostile garbage "$tls" 50 || flow_fail "garbage to TLS"
  hostile renegotiate "$tls" -cert "$flow_dir/client.pem" -key "$flow_dir/client.key" |
    tee "$flow_dir/renegotiate" | grep -q refused ||
    flow_fail "renegotiation: $(cat "$flow_dir/renegotiate")"
  expect '<13>before the wish' 1 "TLS before a renegotiation, which is refused"
  for name in stranger other; do
    hostile renegotiate "$tls" -cert "$flow_dir/$name.pem" -key "$flow_dir/$name.key" > /dev/null
  done
  found_exactly '<13>before the wish' 1 || flow_fail "a certificate of no listed name or authority was let in"
fi
hostile garbage "$http" 20 || flow_fail "garbage to HTTP"
hostile endless "$http" | tee "$flow_dir/endless"
grep -q '^endless done' "$flow_dir/endless" || flow_fail "a body without end was read"
hostile http "$http" > "$flow_dir/http"
grep -q '^http done' "$flow_dir/http" || flow_fail "$(cat "$flow_dir/http")"
flow_note "$(grep -c '^http .*:' "$flow_dir/http") HTTP requests that smuggle or claim: none taken"
for n in 1 2 3; do
  say --port "$tcp" --tcp --rfc5424 --octet-count -t probe "amid-hostile n=$n"
done
expect 'amid-hostile ' 3 "new senders are let in amid $(cat "$flow_dir/idle") connections"
# a slow body has 30 s; half a head goes when somebody else comes
are_cut_off() {
  curl -fsS "$flow_url/healthz" && grep -q 'all cut off' "$flow_dir/slowbody"
}
flow_wait 60 are_cut_off || flow_fail "slow bodies and heads are not cut off"
kill -TERM "$steady_pid"
wait "$steady_pid"
sent=$(sed -n 's/^steady sent //p' "$flow_dir/steady")
expect 'steady-tcp n=\d+ end' "$sent" "through all of it a steady sender over TCP"
expect 'steady-udp n=\d+ end' "$sent" "and over UDP"
after=$(most)
limit=204800
grep -qa __asan_init "$tocsin" && limit=819200 # the sanitizer keeps what was freed for a while
[ $((after - before)) -lt $limit ] || flow_fail "memory grew from $before to $after KB"
flow_note "memory grew from $before to $after KB at most"

# ---- accounting ---------------------------------------------------------------------------------
# received = put + dropped by reason, and put = processed + repeated + refused: nothing is waiting
accounted() {
  curl -fsS "$flow_url/metrics" > "$flow_dir/metrics" || return 1
  awk '/^tocsin_source_(received|put|dropped|processed|repeated|journal_refused)_total/ {
      match($1, /source="[0-9a-z]+"/); s = substr($1, RSTART, RLENGTH)
      if ($1 ~ /received_total/) received[s] += $2
      else if ($1 ~ /put_total/) { put[s] += $2; known[s] += $2 }
      else if ($1 ~ /dropped_total/) known[s] += $2
      else done[s] += $2 }
    END { for (s in received) if (received[s] != known[s]) exit 1
      for (s in put) { if (!(s in received) || put[s] != done[s]) exit 1; sum += done[s] }
      if (received["source=\"webhooks\""] == 0) exit 1
      print sum }' "$flow_dir/metrics" > "$flow_dir/sum" &&
    awk -v sum="$(cat "$flow_dir/sum")" '
    /^tocsin_messages_received_total/ { received = $2 }
    /^tocsin_messages_(processed|quarantined|repeated|dropped)_total/ { known += $2 }
    /^tocsin_messages_(processed|repeated)_total/ { decided += $2 }
    /^tocsin_messages_dropped_total{reason="journal"}/ { decided += $2 }
    /^tocsin_messages_waiting/ { waiting = $2 }
    END { exit !(received > 0 && received == known && decided == sum && waiting == 0) }' \
      "$flow_dir/metrics"
}
for pid in "${flow_pids[@]}"; do
  kill -TERM "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
done
flow_pids=()
flow_wait 20 accounted || flow_fail "$(grep -E '^tocsin_(source|messages)_' "$flow_dir/metrics")"
flow_note "every door: received = put + dropped, put = processed + repeated + refused: $(cat "$flow_dir/sum") messages"
counted() { sed -n "s/^tocsin_messages_$1 //p" "$flow_dir/metrics"; }
flow_note "all together: received $(counted received_total), processed $(counted processed_total), and each other one is counted"
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_note "SIGTERM ends with 0"
