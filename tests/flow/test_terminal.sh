#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Log text that would act on a terminal (escape sequences, C1, marks of direction, line ends) is seen,
# never done, through every subcommand.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v "$python" > /dev/null || flow_skip "no $python here"
cat > "$flow_dir/look.py" << 'EOF'
import sys
data = open(sys.argv[1], 'rb').read()
kept = {0x0A, 0x09} if len(sys.argv) < 3 else {0x0A}
text = data.decode('utf-8', 'surrogateescape')
def is_hidden(c):
    return (c < 0x20 and c not in kept) or 0x7F <= c <= 0x9F or c in (0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF) or \
        0x2028 <= c <= 0x202E or 0x2060 <= c <= 0x206F or 0xD800 <= c <= 0xDFFF or 0xE0000 <= c <= 0xE0FFF
bad = sorted({hex(ord(c)) for c in text if is_hidden(ord(c))})
lines = [l for l in text.split('\n') if l.startswith('FORGED')]
sys.exit(f'{bad} {lines}' if bad or lines else 0)
EOF
look() { # look WHAT COMMAND... : its output and its errors are for eyes
  local what=$1 said
  shift
  "$@" > "$flow_dir/seen.out" 2> "$flow_dir/seen.err" < /dev/null
  for said in out err; do
    "$python" "$flow_dir/look.py" "$flow_dir/seen.$said" 2> "$flow_dir/bad" ||
      flow_fail "$what ($said): $(cat "$flow_dir/bad")"
  done
  looked=$((looked + 1))
}
looked=0
flow_config << EOF
rules: [share]
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start
"$python" - "$(flow_port syslog-udp)" << 'EOF'
import datetime, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ').encode()
nasty = [b'\x1b]0;x\x07\x1b[2K', b'\xc2\x9b31m', b'\xe2\x80\xae', b'\x7f', b'\nFORGED', b'\xff\x9b', b'\xe2\x80\xa8FORGED', b'\xf3\xa0\x81\x81']
for i, n in enumerate(nasty):
    for k in range(8):
        s.sendto(b'<86>1 %s ev%sil sshd 1 - - Failed password for ro%sot from 203.0.113.%d port 4 ssh2' % (now, n, n, i), ('127.0.0.1', int(sys.argv[1])))
    s.sendto(b'<86>1 %s ev%sil sshd 1 - - Accepted password for ro%sot from 203.0.113.%d port 4 ssh2' % (now, n, n, i), ('127.0.0.1', int(sys.argv[1])))
EOF
incident() { "$tocsin" incidents --json --kind any --url "$flow_url" | grep -o '"id":"[^"]*"' | head -n "${1:-1}" | cut -d'"' -f4; }
flow_wait 20 incident
flow_wait 20 sh -c "[ \$('$tocsin' search --data '$flow_dir/data' Accepted | wc -l) -ge 7 ]" || flow_fail "the messages did not come"
for json in '' --json; do
  look "incidents $json" "$tocsin" incidents --kind any --url "$flow_url" $json
  for id in $(incident 5); do look "incident $json" "$tocsin" incident "$id" --url "$flow_url" $json; done
  look "sources $json" "$tocsin" sources --url "$flow_url" $json
  look "search $json" "$tocsin" search --data "$flow_dir/data" $json password
  look "report $json" "$tocsin" report --url "$flow_url" $json
  look "handover $json" "$tocsin" handover --url "$flow_url" $json
  look "verify $json" "$tocsin" verify --url "$flow_url" $json
done
curl -fsS "$flow_url/api/v1/sources" > "$flow_dir/api" && "$python" "$flow_dir/look.py" "$flow_dir/api" || flow_fail "the API"
flow_stop || flow_fail "SIGTERM does not end with 0"
"$python" "$flow_dir/look.py" "$flow_dir/err" || flow_fail "the log"

# ---- recorded input, rules, timelines ----
printf '<86>1 2026-11-28T11:58:30Z h sshd 1 - - Failed password for ro\x1b[5m\xc2\x9b1m\xe2\x80\xaeot from 203.0.113.7 port 4 ssh2\n' > "$flow_dir/log"
printf 'title: "t\\e[2Jx\\u202e\\nFORGED"\nid: 33333333-3333-4333-8333-333333333333\nlogsource: {product: linux}\ndetection:\n  a\xe2\x80\xae: {user|contans: "x\\e[2J"}\n  condition: "a\\e[1m of"\nlevel: low\n' > "$flow_dir/bad.yml"
printf 'title: "t\\e[2Jx\\u202e\\nFORGED"\nid: 33333333-3333-4333-8333-333333333333\nlogsource: {product: linux}\ndetection:\n  a: {user|contains: "\\e[5m"}\n  condition: a\nlevel: low\n' > "$flow_dir/good.yml"
printf 'test: "n\\e[2Jame\\u202e"\nevents:\n  - at: 0s\n    event: {user: "x\\e[5my"}\nexpect:\n  - detection: "t\\e[2Jx"\n    count: 7\n' > "$flow_dir/good.test.yml"
for json in '' --json; do
  look "check $json" "$tocsin" check $json "$flow_dir/bad.yml"
  look "check $json" "$tocsin" check $json "$flow_dir/good.yml"
  look "test $json" "$tocsin" test $json "$flow_dir/good.yml" "$flow_dir/good.test.yml"
  look "explain $json" "$tocsin" explain --rules "$flow_dir/good.yml" $json "$flow_dir/log"
done
look parse "$tocsin" parse "$flow_dir/log"
look replay "$tocsin" replay --rules "$flow_dir/good.yml" --detections - --incidents - "$flow_dir/log"
look "a name that is quoted" "$tocsin" "$(printf 'x\033[2J\nFORGED')"
look "an option that is quoted" "$tocsin" search "$(printf -- '--x\033[2J\nFORGED')"
look "a file that is quoted" "$tocsin" check "$(printf 'no\033[2J\nFORGED')"
look "a time that is quoted" "$tocsin" search --since "$(printf 'x\xc2\x9b\nFORGED')" x
flow_note "$looked outputs, none acts on a terminal"
