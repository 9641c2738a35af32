#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole path with shipped rules: real `logger` sends guesses and a login; the incident is read
# through the API, the report counts it, a real receiver gets the signed webhook, mail arrives at a
# real SMTP server; acknowledging and resolving go through the ledger.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
support=$(dirname "$(readlink -f "$0")")/../support
command -v logger > /dev/null || flow_skip "no logger here"
command -v "$python" > /dev/null || flow_skip "no python3 here"

# what replay decides of the same story: it began with the first guess
for n in 1 2 3 4 5; do
  echo "<38>1 2026-03-01T12:30:0$n.000000Z web1 sshd 1 - - Failed password for root from 203.0.113.9 port 1 ssh2"
done > "$flow_dir/story"
echo "<38>1 2026-03-01T12:30:20.000000Z web1 sshd 1 - - Accepted password for root from 203.0.113.9 port 2 ssh2" >> "$flow_dir/story"
"$tocsin" replay --rules share --incidents - "$flow_dir/story" > "$flow_dir/replayed" || flow_fail "replay"
grep -q '"occurred": *"2026-03-01T12:30:01.000000Z"' "$flow_dir/replayed" ||
  flow_fail "it occurred with the first guess: $(cat "$flow_dir/replayed")"
flow_note "replay dates the incident by its first guess"

# the secret as the configuration file wants it: whsec_ and base64
secret=tocsin-test-secret-0123456789
printf 'whsec_%s' "$(printf '%s' $secret | base64)" > "$flow_dir/secret"
flow_background "$python" "$support/receiver.py" "$flow_dir/hooks" $secret > "$flow_dir/hook_port"
flow_wait 10 test -s "$flow_dir/hook_port" || flow_fail "the receiver does not start"
has_mail=no
mail_sink=
if "$python" -c 'import aiosmtpd' 2> /dev/null; then
  has_mail=yes
  mkdir -p "$flow_dir/mail"
  flow_background "$python" "$support/mailbox.py" "$flow_dir/mails" > "$flow_dir/smtp_port"
  flow_wait 10 test -s "$flow_dir/smtp_port" || flow_fail "the SMTP server does not start"
  mail_sink="- smtp: {server: '127.0.0.1:$(cat "$flow_dir/smtp_port")', tls: none, from: tocsin@example.org, to: [soc@example.org], allow_private: true}"
fi
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
sinks:
  - file: {path: incidents.jsonl}
  - webhook: {url: 'http://127.0.0.1:$(cat "$flow_dir/hook_port")/hook', secret_file: '$flow_dir/secret', allow_private: true}
  $mail_sink
EOF
flow_start
udp=$(flow_port syslog-udp)
tcp=$(flow_port syslog-tcp)

say() { # say TRANSPORT MESSAGE
  logger --server 127.0.0.1 --port "$([ "$1" = udp ] && echo "$udp" || echo "$tcp")" "--$1" \
    "${@:3}" -p authpriv.info -t sshd --id=100 -- "$2"
}
for n in 1 2 3; do say udp "Failed password for root from 203.0.113.9 port 4000$n ssh2" --rfc3164; done
for n in 4 5; do say tcp "Failed password for root from 203.0.113.9 port 4000$n ssh2" --rfc5424 --octet-count; done
api() { "$tocsin" incidents --url "$flow_url" --json "$@"; }
flow_wait 10 bash -c "'$tocsin' incidents --url $flow_url --json --kind candidate | grep -q 203.0.113.9" ||
  flow_fail "five guesses make no candidate"
[ -z "$(api)" ] || flow_fail "five guesses alone made an incident: $(api)"
flow_note "five guesses are a candidate, not an incident"

say udp "Accepted password for root from 203.0.113.9 port 40006 ssh2" --rfc3164
flow_wait 10 bash -c "'$tocsin' incidents --url $flow_url --json | grep -q 203.0.113.9" ||
  flow_fail "guesses and a login make no incident"
id=$(api | sed -n 's/^{"id":"\([^"]*\)".*/\1/p' | head -n 1)
flow_note "the login made incident $id"

flow_wait 10 grep -q "$id" "$flow_dir/hooks" || flow_fail "the webhook did not come"
grep -q '"signed": true' "$flow_dir/hooks" || flow_fail "the signature is wrong: $(cat "$flow_dir/hooks")"
flow_note "the receiver got it, rightly signed"
flow_wait 10 grep -q "$id" "$flow_dir/data/incidents.jsonl" || flow_fail "the file sink has nothing"
if [ $has_mail = yes ]; then
  flow_wait 10 grep -q "$id" "$flow_dir/mails" || flow_fail "no mail came"
  flow_note "the mail came"
fi

"$tocsin" incident "$id" ack --by ada --note 'looking' --url "$flow_url" > "$flow_dir/ack" ||
  flow_fail "ack: $(cat "$flow_dir/ack")"
"$tocsin" incident "$id" resolve --by ada --json --url "$flow_url" > "$flow_dir/resolve" ||
  flow_fail "resolve: $(cat "$flow_dir/resolve")"
grep -q '"acknowledged":"20' "$flow_dir/resolve" || flow_fail "no time of acknowledgement"
"$tocsin" report --url "$flow_url" --json > "$flow_dir/report" || flow_fail "report"
grep -q median "$flow_dir/report" || flow_fail "the report has no median: $(cat "$flow_dir/report")"
"$tocsin" verify --url "$flow_url" > "$flow_dir/verify" || flow_fail "verify: $(cat "$flow_dir/verify")"
curl -fsS "$flow_url/healthz" > /dev/null || flow_fail "healthz"
curl -fsS "$flow_url/metrics" > "$flow_dir/metrics" || flow_fail "metrics"
grep -q '^tocsin_detections_total [1-9]' "$flow_dir/metrics" || flow_fail "no detections counted"
flow_note "acknowledged, resolved, reported, verified, measured"
flow_stop || flow_fail "SIGTERM did not end with 0"
flow_note "SIGTERM ends with 0"

# the record outlives the process
flow_start
api --state any | grep -q "$id" || api | grep -q "$id" || flow_fail "the incident is gone after a restart"
flow_stop || flow_fail "the second stop did not end with 0"
flow_note "a restart keeps the incident"
