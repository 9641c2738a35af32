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

flow_end() {
  local pid
  for pid in $flow_pid "${flow_pids[@]}"; do
    kill -TERM "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
  done
  [ -n "$flow_dir" ] && rm -rf "$flow_dir"
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

flow_wait() { # flow_wait SECONDS COMMAND... : until it holds
  local left=$(($1 * 20))
  shift
  until "$@" > /dev/null 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    read -rt 0.05 <> <(:) || true
  done
}

flow_background() { # flow_background COMMAND... : ended with the test
  "$@" &
  flow_pids+=($!)
}
