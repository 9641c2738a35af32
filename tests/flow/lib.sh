# SPDX-License-Identifier: Apache-2.0
# For tests/flow/*.sh: one `tocsin run` in a folder that goes away, on free ports.
#   . "$(dirname "$0")/lib.sh"; flow_begin "$1"; flow_config <<< 'yaml'; flow_start
set -u
tocsin=
# Debian keeps the packages of its own python there; another python may stand before it in PATH
python=$([ -x /usr/bin/python3 ] && echo /usr/bin/python3 || echo python3)
flow_dir=
flow_pid=
flow_pids=()
flow_ports=()

flow_end() {
  local pid
  for pid in $flow_pid "${flow_pids[@]}"; do
    kill -TERM "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
  done
  [ -n "$flow_dir" ] && rm -rf "$flow_dir"
  [ ${#flow_ports[@]} = 0 ] || rm -f "${flow_ports[@]}"
}

flow_begin() { # flow_begin BUILD_FOLDER
  tocsin=$(readlink -f "$1")/app/tocsin
  [ -x "$tocsin" ] || { echo "no binary at $tocsin"; exit 2; }
  flow_dir=$(mktemp -d)
  trap flow_end EXIT
  trap 'exit 130' INT TERM
}

flow_skip() { echo "skipped: $*"; exit 77; }
flow_fail() {
  echo "FAIL: $*"
  [ -s "$flow_dir/err" ] && { echo "--- log of tocsin"; tail -n 30 "$flow_dir/err"; }
  exit 1
}
flow_note() { echo "ok: $*"; }

flow_config() { cat > "$flow_dir/tocsin.yml"; }

flow_start() { # flow_start [options of run]
  : > "$flow_dir/out"
  "$tocsin" run --config "$flow_dir/tocsin.yml" --data "$flow_dir/data" "$@" \
    >> "$flow_dir/out" 2>> "$flow_dir/err" &
  flow_pid=$!
  flow_wait 60 grep -q '^ready tocsin' "$flow_dir/out" || flow_fail "it does not get ready"
  flow_url=http://$(sed -n 's/^ready http //p' "$flow_dir/out")
}

flow_stop() { # TERM, and the exit status
  kill -TERM "$flow_pid"
  wait "$flow_pid"
  local status=$?
  flow_pid=
  return $status
}

flow_port() { sed -n "s/^ready $1 .*:\([0-9]*\)\$/\1/p" "$flow_dir/out" | head -n 1; }

# flow_free_port VARIABLE : a port for a program that cannot take port 0, kept from other tests until
# this one ends. It lies below the range from which the kernel gives ports to whoever connects: one
# of those may be taken by any connection between now and the bind, and again while a program that
# was killed is away.
flow_free_port() {
  local low try number fd
  read -r low _ < /proc/sys/net/ipv4/ip_local_port_range
  [ "$low" -gt 12000 ] || low=32768
  for try in $(seq 200); do
    number=$((10240 + (RANDOM * 32768 + RANDOM) % (low - 10240)))
    exec {fd}> "/tmp/tocsin-port.$number" || continue
    if flock -n "$fd" && flow_port_is_free $number; then
      flow_ports+=("/tmp/tocsin-port.$number")
      printf -v "$1" %s $number
      return 0
    fi
    exec {fd}>&-
  done
  flow_fail "no free port in $try tries"
}

flow_port_is_free() { # for TCP and UDP
  "$python" -c 'import socket, sys
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    with socket.socket(type=kind) as s:
        s.bind(("127.0.0.1", int(sys.argv[1])))' "$1" 2> /dev/null
}

# ---- the clock that the program reads --------------------------------------------------------------
# Sent times are made from it: a test run 400 days ahead sends what is 400 days ahead.
flow_offset_s() {
  local value=${TOCSIN_TEST_CLOCK:-+0s} count
  if [ -e "$value" ]; then
    echo $(($(od -An -td8 -N8 "$value") / 1000000))
    return
  fi
  count=${value%[dhms]}
  case $value in
  *d) echo $((count * 86400)) ;;
  *h) echo $((count * 3600)) ;;
  *m) echo $((count * 60)) ;;
  *s) echo $((count)) ;;
  *) flow_fail "TOCSIN_TEST_CLOCK='$value': no offset and no file" ;;
  esac
}

flow_date() { # flow_date [SECONDS_FROM_NOW [FORMAT]] : UTC, as the program's clock has it
  date -u -d "@$(($(date +%s) + $(flow_offset_s) + ${1:-0}))" "+${2:-%Y-%m-%dT%H:%M:%SZ}"
}

flow_clock_begin() { # before flow_start: this test moves the clock of the programs it starts
  nm "$tocsin" 2> /dev/null | grep -q ' test_clock_shift$' || flow_skip "built without -DTOCSIN_TEST_CLOCK=ON"
  local offset_s
  offset_s=$(flow_offset_s)
  : > "$flow_dir/clock"
  export TOCSIN_TEST_CLOCK=$flow_dir/clock
  flow_clock_write "$offset_s"
}

flow_clock_write() {
  "$python" -c 'import struct, sys
with open(sys.argv[1], "r+b", buffering=0) as f:
    f.write(struct.pack("=q", int(sys.argv[2]) * 1000000))' "$TOCSIN_TEST_CLOCK" "$1"
}

flow_clock_move() { # flow_clock_move SECONDS : seen by running programs at once; back when negative
  flow_clock_write $(($(flow_offset_s) + $1))
}

# flow_wait SECONDS COMMAND... : until it holds. The seconds are those of a machine that has nothing
# else to do; one that builds beside it is given three minutes, for a test that gives up early tells
# of the machine and not of the program.
flow_wait() {
  local seconds=$1
  shift
  flow_try $((seconds > 180 ? seconds : 180)) "$@"
}

# flow_try SECONDS COMMAND... : the same, and no longer: for what may not be had here
flow_try() {
  local until=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    read -rt 0.05 <> <(:) || true
  done
}

flow_background() { # flow_background COMMAND... : ended with the test
  "$@" &
  flow_pids+=($!)
}
