#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A systemd-journald of our own, started by hand in a mount namespace, so that neither systemd as
# PID 1 nor this machine's journal is touched: systemd-cat, logger and a socket like /dev/log write
# to it, tocsin reads it. The same messages by syslog must give the same detections; a kill -9, a
# rotation and a vacuum must neither lose nor double an entry.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
journald=/lib/systemd/systemd-journald
for program in systemd-cat journalctl logger curl unshare $journald; do
  command -v $program > /dev/null || flow_skip "no $program here"
done
if [ -z "${TOCSIN_JOURNALD_NAMESPACE-}" ]; then
  [ "$(id -u)" = 0 ] || flow_skip "only root can give journald a namespace of its own"
  unshare -m true 2> /dev/null || flow_skip "no mount namespaces here"
  TOCSIN_JOURNALD_NAMESPACE=1 exec unshare -m "$(readlink -f "$0")" "$@"
fi
flow_begin "$1"
ldd "$tocsin" | grep -q libsystemd || flow_skip "built without libsystemd"
mount --make-rprivate /
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log || flow_skip "no tmpfs here"
mkdir -p /run/systemd/journal /var/log/journal
[ -s /etc/machine-id ] || mount --bind <(echo 0123456789abcdef0123456789abcdef) /etc/machine-id ||
  flow_skip "no machine-id here"

begin_journald() {
  $journald > "$flow_dir/journald.log" 2>&1 &
  journald_pid=$!
  flow_pids+=($journald_pid)
  flow_try 20 test -S /run/systemd/journal/stdout || flow_skip "journald does not run here: $(
    tail -n 3 "$flow_dir/journald.log")"
}
begin_journald
# in some roots it makes its sockets and ends, or has no place for its files
takes_entries() {
  echo 'before tocsin' | systemd-cat -t probe 2> /dev/null &&
    journalctl -q -t probe | grep -q 'before tocsin'
}
flow_try 20 takes_entries || flow_skip "journald takes nothing here: $(
  tail -n 3 "$flow_dir/journald.log")"

flow_config << YAML
sources:
  - journald: {}
  - syslog_tcp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
YAML
flow_start --detections "$flow_dir/detections"
found() { "$tocsin" search --data "$flow_dir/data" "$1" 2> /dev/null | grep -c .; }
found_exactly() { [ "$(found "$1")" = "$2" ]; }
expect() { # expect PATTERN COUNT WHAT
  flow_wait 30 found_exactly "$1" "$2" || flow_fail "$3: $(found "$1") of $2 came"
  flow_note "$3: $2"
}

# ---- ways in ----------------------------------------------------------------------------------
echo 'way=cat n=1' | systemd-cat -t probe -p warning
expect '<12>1 [^ ]+ [^ ]+ probe \d+ - \[journald [^]]*_UID="0"[^]]*\] way=cat n=1' 1 systemd-cat
logger --journald << END
MESSAGE=way=native n=1
SYSLOG_IDENTIFIER=probe
PRIORITY=3
END
expect '<11>1 .* probe .*way=native n=1' 1 'logger --journald'
logger --socket /run/systemd/journal/dev-log -p auth.notice -t probe 'way=dev-log n=1'
expect '<37>1 .* probe .*way=dev-log n=1' 1 'syslog(3) through /dev/log'
found_exactly 'before tocsin' 0 || flow_fail "'from: now' read the past"
flow_note "from: now"

# ---- the same rules fire as by syslog ---------------------------------------------------------
attack() { seq 1 6 | sed "s/.*/Failed password for root from $1 port 4000& ssh2/"; }
attack 203.0.113.9 | systemd-cat -t sshd -p info
attack 203.0.113.10 | logger --server 127.0.0.1 --tcp --rfc3164 -t sshd \
  --port "$(flow_port syslog-tcp)"
fired() { grep "$1" "$flow_dir/detections" | grep -o '"name":"[^"]*"' | sort | uniq -c; }
both_fired() { [ -n "$(fired 203.0.113.9)" ] && [ "$(fired 203.0.113.9)" = "$(fired 203.0.113.10)" ]; }
flow_wait 30 both_fired || flow_fail "by journald: $(fired 203.0.113.9); by syslog: $(fired 203.0.113.10)"
flow_note "the same detections by journald as by syslog: $(fired 203.0.113.9 | xargs)"

# ---- exactly once over kill -9, stop, rotation --------------------------------------------------
feed() { seq "$1" "$2" | sed 's/^/counted n=/;s/$/ end/' | systemd-cat -t probe; }
feed 1 3000 &
feeder=$!
flow_wait 30 sh -c "[ \$($tocsin search --data $flow_dir/data 'counted n=' 2> /dev/null | wc -l) -gt 100 ]" ||
  flow_fail "nothing of the flood came"
kill -9 "$flow_pid"
wait "$flow_pid" 2> /dev/null
wait $feeder
flow_start
feed 3001 3100
expect 'counted n=\d+ end' 3100 'entries over a kill -9, each once'
flow_stop || flow_fail "it does not stop in order"
feed 3101 3200
kill -USR2 $journald_pid # rotate
feed 3201 3300
flow_start
expect 'counted n=\d+ end' 3300 'entries over a stop and a rotation, each once'
[ "$("$tocsin" search --data "$flow_dir/data" 'counted n=\d+ end' | grep -o 'n=[0-9]* end' |
  sort -u | wc -l)" = 3300 ] || flow_fail "not every entry is a different one"
curl -s "$flow_url/metrics" | grep -q '^tocsin_source_missing_total{.*journald.*} 0$' ||
  flow_fail "entries are missing: $(curl -s "$flow_url/metrics" | grep source_missing)"
grep -i 'sanitizer\|not in the journal' "$flow_dir/err" && flow_fail "its log complains"

# ---- what is removed unread is counted ------------------------------------------------------------
flow_stop || flow_fail "it does not stop in order"
feed 3301 3400
rotated() { ls /run/log/journal/*/system@*.journal /var/log/journal/*/system@*.journal; }
before=$(rotated 2> /dev/null | wc -l)
kill -USR2 $journald_pid
more_rotated() { [ "$(rotated 2> /dev/null | wc -l)" -gt "$before" ]; }
flow_wait 10 more_rotated || flow_fail "journald does not rotate"
rm -f $(rotated 2> /dev/null) # as a vacuum does
feed 3401 3500
flow_start
expect 'counted n=\d+ end' 3400 'entries that a vacuum left'
metric() { curl -s "$flow_url/metrics" | sed -n "s/^tocsin_$1{.*journald.*} //p"; }
[ "$(metric source_gaps_total)" = 1 ] && [ "$(metric source_missing_total)" -ge 100 ] ||
  flow_fail "gaps $(metric source_gaps_total), missing $(metric source_missing_total)"
flow_note "the others are counted: $(metric source_missing_total) missing"
flow_stop
exit 0
