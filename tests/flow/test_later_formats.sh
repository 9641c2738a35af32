#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a later version wrote is refused with words, and nothing of it is touched.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v redis-server redis-cli > /dev/null || flow_skip "no redis-server here"
flow_config << EOF
sources: [{syslog_tcp: {listen: '127.0.0.1:0', durability: sync}}]
http: {listen: '127.0.0.1:0'}
correlation: {checkpoint: 100ms, workers: 1, shards: 1}
EOF
flow_start
exec 9<> "/dev/tcp/127.0.0.1/$(flow_port syslog-tcp)"
echo '<38>Feb  5 10:00:00 web1 sshd[1]: Failed password for root from 192.0.2.7 port 1 ssh2' >&9
exec 9>&-
has_commit() { curl -fsS "$flow_url/metrics" | grep -q '^tocsin_checkpoints_total [1-9]'; }
flow_wait 10 has_commit || flow_fail "no checkpoint was taken"
flow_stop || flow_fail "the stop failed"

in_redis() { # in_redis COMMAND... : on the record of the stopped program, with its own settings
  local conf socket pid
  conf=$(find "$flow_dir/data" -name redis.conf)
  socket=$flow_dir/probe.sock
  redis-server "$conf" --unixsocket "$socket" > "$flow_dir/redis.out" 2>&1 &
  pid=$!
  flow_wait 10 answers "$socket" || flow_fail "redis-server: $(cat "$flow_dir/redis.out")" >&2
  redis-cli -s "$socket" "$@"
  redis-cli -s "$socket" shutdown > /dev/null
  wait $pid
}
answers() { [ "$(redis-cli -s "$1" ping 2> /dev/null)" = PONG ]; }
refused() { # refused WORDS : the next start ends with them
  local status
  timeout 60 "$tocsin" run --config "$flow_dir/tocsin.yml" --data "$flow_dir/data" \
    > "$flow_dir/out" 2> "$flow_dir/err"
  status=$?
  [ $status != 0 ] || flow_fail "it ran"
  [ $status != 124 ] || flow_fail "it did not end"
  grep -q "$1" "$flow_dir/err" || flow_fail "it does not say '$1'"
}

before=$(in_redis get tocsin:commit) || exit 1
[ -n "$before" ] || flow_fail "there is no commit"
in_redis append tocsin:commit 'format 2
' > /dev/null
refused 'written by a later Tocsin (format 2'
flow_note "a checkpoint of a later format is refused with words"
in_redis set tocsin:commit "$before
" > /dev/null
flow_start
flow_stop || flow_fail "the stop failed"
flow_note "and read again once it is as it was"

# the record's keys
in_redis set tocsin:format 2 > /dev/null
writer=$(in_redis get tocsin:writer) || exit 1
refused 'the record in Redis was written by a later Tocsin (format 2, this one reads 1)'
[ "$(in_redis get tocsin:writer)" = "$writer" ] || flow_fail "it took over what it cannot read"
in_redis set tocsin:format 1 > /dev/null
flow_start
flow_stop || flow_fail "the stop failed"
flow_note "a record of a later format is refused with words, and nothing of it is touched"

# a journal file of a later version: the version stands behind the 8 bytes of the file's name
file=$(ls "$flow_dir"/data/journal/*.journal | tail -n 1)
"$python" - "$file" << 'EOF' || flow_fail "cannot change $file"
import struct, sys
def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
with open(sys.argv[1], 'r+b') as f:
    head = bytearray(f.read(64))
    assert struct.unpack_from('<I', head, 60)[0] == crc32c(head[:60]), 'not the CRC that was expected'
    struct.pack_into('<I', head, 8, 2)
    struct.pack_into('<I', head, 60, crc32c(head[:60]))
    f.seek(0)
    f.write(head)
EOF
refused 'is of a later version'
flow_note "a journal file of a later version is refused by name"
