#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sockets that systemd opens and passes, as packaging/tocsin.socket has it, here by
# systemd-socket-activate: what was sent before the program ran must come, the sockets stay when it
# stops, and READY, WATCHDOG and STOPPING are told.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
for program in systemd-socket-activate logger python3; do
  command -v $program > /dev/null || flow_skip "no $program here"
done
# what systemd would hear
cat > "$flow_dir/listen.py" << 'PYTHON'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode(), flush=True)
PYTHON
flow_background "$python" "$flow_dir/listen.py" "$flow_dir/notify" > "$flow_dir/notified"
flow_wait 10 test -S "$flow_dir/notify" || flow_fail "no notify socket"

listens() { [ "$(grep -c Listening "$flow_dir/err")" -ge "$1" ]; } # on each: not only the first
activate() { # activate OPTIONS... : until "ready tocsin"; the first bytes sent start it
  : > "$flow_dir/out"
  systemd-socket-activate "$@" -E NOTIFY_SOCKET="$flow_dir/notify" -E PATH="$PATH" \
    "$tocsin" run --config "$flow_dir/tocsin.yml" --data "$flow_dir/data" \
    >> "$flow_dir/out" 2>> "$flow_dir/err" &
  flow_pid=$!
  flow_wait 10 listens "$(printf '%s\n' "$@" | grep -cx -e -l)" ||
    flow_fail "systemd-socket-activate does not listen"
}
started() { flow_wait 60 grep -q '^ready tocsin' "$flow_dir/out" || flow_fail "it does not get ready"; }
found() { "$tocsin" search --data "$flow_dir/data" "$1" 2> /dev/null | grep -c .; }
found_exactly() { [ "$(found "$1")" = "$2" ]; }
expect() {
  flow_wait 30 found_exactly "$1" "$2" || flow_fail "$3: $(found "$1") of $2 came"
  flow_note "$3: $2"
}

# ---- datagrams: UDP and a socket like /dev/log ------------------------------------------------
flow_free_port udp
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:$udp', sockets: 4}
  - unix: {path: $flow_dir/log}
http: {listen: '127.0.0.1:0'}
EOF
activate -d -l "127.0.0.1:$udp" -l "$flow_dir/log"
for n in 1 2 3; do
  logger --server 127.0.0.1 --udp --port "$udp" --rfc5424 -t probe "udp n=$n"
  logger --socket "$flow_dir/log" -t probe "log n=$n"
done
started
expect 'udp n=' 3 "datagrams sent before the program ran"
expect 'log n=' 3 "messages to a passed unix socket"
grep -q "systemd passed" "$flow_dir/err" && flow_fail "a passed socket was not taken"
flow_wait 10 grep -qx READY=1 "$flow_dir/notified" || flow_fail "READY was not told"
flow_wait 10 grep -qx WATCHDOG=1 "$flow_dir/notified" || flow_fail "WATCHDOG was not told"
flow_stop || flow_fail "it does not stop in order"
flow_wait 10 grep -qx STOPPING=1 "$flow_dir/notified" || flow_fail "STOPPING was not told"
[ -S "$flow_dir/log" ] || flow_fail "a socket of systemd's was removed"
flow_note "READY, WATCHDOG, STOPPING; systemd's socket stays"
rm "$flow_dir/log"

# ---- streams, by name, and one too many ---------------------------------------------------------
flow_free_port tcp
flow_free_port other
flow_config << EOF
sources:
  - syslog_tcp: {listen: 'fd:alpha'}
http: {listen: '127.0.0.1:0'}
EOF
: > "$flow_dir/err"
activate -l "127.0.0.1:$tcp" -l "127.0.0.1:$other" --fdname=alpha:beta
logger --server 127.0.0.1 --tcp --port "$tcp" --rfc5424 -t probe "tcp n=1"
started
expect 'tcp n=' 1 "a connection that came before the program ran"
grep -q "^ready syslog-tcp 127.0.0.1:$tcp" "$flow_dir/out" || flow_fail "not the named socket"
grep -q 'systemd passed 1 sockets' "$flow_dir/err" || flow_fail "the socket too many is not told"
flow_stop || flow_fail "it does not stop in order"
flow_note "a socket by its name; one that nobody takes is told"

# ---- without systemd ----------------------------------------------------------------------------
"$tocsin" run --config "$flow_dir/tocsin.yml" --data "$flow_dir/data" > "$flow_dir/out" 2> "$flow_dir/err"
[ $? = 2 ] && grep -q 'systemd passed no such socket' "$flow_dir/err" ||
  flow_fail "'fd:alpha' without systemd: $(cat "$flow_dir/err")"
flow_note "refused without systemd"
