#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Followed files under logrotate: one log renamed (and packed later), one copied and truncated, both
# written all the time, while tocsin is killed twice and stopped once. Every line must come once.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
logrotate=$(command -v logrotate || echo /usr/sbin/logrotate)
for program in "$logrotate" python3; do
  command -v "$program" > /dev/null || flow_skip "no $program here"
done
logs=$flow_dir/logs
mkdir "$logs"
chmod 700 "$logs"

# a program that logs: opens its file anew on HUP, waits on USR1 until USR2
cat > "$flow_dir/writer.py" << 'PYTHON'
import os, signal, sys
path, name = sys.argv[1], sys.argv[2]
must = {"reopen": True, "wait": False, "stop": False}
signal.signal(signal.SIGHUP, lambda *_: must.update(reopen=True))
signal.signal(signal.SIGUSR1, lambda *_: must.update(wait=True))
signal.signal(signal.SIGUSR2, lambda *_: must.update(wait=False))
signal.signal(signal.SIGTERM, lambda *_: must.update(stop=True))
n, out = 0, None
while not must["stop"]:
    if must["reopen"]:
        must["reopen"] = False
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    open(f"{path[:path.rindex('/')]}/../{name}.waits", "w").write("1" if must["wait"] else "0")
    if not must["wait"]:
        for _ in range(20):
            n += 1
            os.write(out, f"Nov 22 11:00:00 web1 {name}[1]: a line of {name} with its number n={n} end\n".encode())
    signal.sigtimedwait([], 0.002)
open(f"{path[:path.rindex('/')]}/../{name}.count", "w").write(str(n))
PYTHON
"$python" "$flow_dir/writer.py" "$logs/renamed.log" renamed & renamed=$!
"$python" "$flow_dir/writer.py" "$logs/copied.log" copied & copied=$!
flow_pids+=($renamed $copied)

cat > "$flow_dir/rotate.conf" << EOF
$logs/renamed.log {
  rotate 5
  create 0600
  compress
  delaycompress
  postrotate
    kill -HUP $renamed
  endscript
}
$logs/copied.log {
  rotate 3
  copytruncate
}
EOF
rotate() {
  # what is written between copy and truncation is in neither: the one thing copytruncate loses
  kill -USR1 $copied
  flow_wait 10 grep -q 1 "$flow_dir/copied.waits" || flow_fail "the writer does not wait"
  "$logrotate" -f -s "$flow_dir/rotate.state" "$flow_dir/rotate.conf" || flow_fail "logrotate"
  kill -USR2 $copied
  flow_wait 10 grep -q 0 "$flow_dir/copied.waits" || flow_fail "the writer does not go on"
}

flow_config << EOF
sources:
  - file: {path: '$logs/*.log*', from: beginning}
http: {listen: '127.0.0.1:0'}
EOF
found() { "$tocsin" search --data "$flow_dir/data" "$1" 2> /dev/null | grep -c .; }
more_than() { [ "$(found "$1")" -gt "$2" ]; }
grows() { # until the flood moved on
  local now
  now=$(found 'n=\d+ end')
  flow_wait 30 more_than 'n=\d+ end' $((now + 200)) || flow_fail "nothing more comes"
}

flow_start
grows
rotate
grows
kill -9 "$flow_pid"
wait "$flow_pid" 2> /dev/null
rotate
flow_start
grows
rotate
rotate
grows
kill -9 "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start
grows
flow_stop || flow_fail "it does not stop in order"
flow_start
rotate
grows
kill $renamed $copied
wait $renamed $copied
for name in renamed copied; do
  want=$(cat "$flow_dir/$name.count")
  flow_wait 30 more_than "of $name with" $((want - 1)) || flow_fail "$name: $(found "of $name with") of $want came"
  [ "$(found "of $name with")" = "$want" ] || flow_fail "$name: $(found "of $name with"), but $want were written"
  [ "$("$tocsin" search --data "$flow_dir/data" "of $name with" | grep -o 'n=[0-9]* end' | sort -u |
    wc -l)" = "$want" ] || flow_fail "$name: some came twice"
  flow_note "$name: $want lines, each once, over rotations, two kill -9 and a stop"
done
flow_stop
exit 0
