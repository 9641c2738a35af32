#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A library is known to those who own it: their sources alone include its headers, and no header
# does, so that it can be faked, swapped or upgraded in one place.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2

# HEADER : its owners, files or whole folders
owners='
  curl/.*              : app/http.c sinks/transfer.c
  hiredis/.*           : incidents/store/redis.c
  jansson\.h           : app/client.c app/doctor.c app/expect.c app/explain.c app/present.c app/reason.c console/command_body.c console/page.c
                         incidents/model/doc_tree.c ingest/webhook/json_tree.c sinks/document.c
  librdkafka/.*        : ingest/kafka/kafka_client.c
  microhttpd\.h        : console/server.c
  openssl/.*           : incidents/store/ledger.c ingest/door/tls.c sinks/signature.c
  pcre2\.h             : app/search.c rules/decode/decoder_regex.c rules/match/regex.c
  systemd/.*           : ingest/journald/journald_client.c
  yaml\.h              : base/yaml.c
  zlib\.h              : ingest/file/inflate.c
  zstd.*\.h            : ingest/file/inflate.c journal/journal_zip.c
'
# What every folder may include: C, POSIX and Linux.
system='(assert|ctype|dirent|errno|fcntl|fnmatch|float|glob|grp|inttypes|limits|locale|math|netdb|poll|pthread|pwd|sched|search|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd|regex|getopt|mqueue|utime|wchar|arpa/.*|linux/.*|netinet/.*|net/.*|sys/.*|malloc|ifaddrs|immintrin|nmmintrin|ftw|wctype|endian|byteswap|wait|execinfo|link|fts|libgen|emmintrin)\.h'

bad=0
say() { [ -z "$2" ] || { echo "$1:"; echo "$2" | head -n 40; bad=1; }; }
rows=$(echo "$owners" | awk '/ : / {print; next} NF {print "- : " $0}' |
  awk '$1 != "-" {header = $1} {for (i = 3; i <= NF; i++) print header, $i}')
includes=$(find . \( -path './build*' -o -path './.*' -o -path ./tests -o -path ./benchmarks \) -prune \
  -o -name '*.[ch]' -print | sed 's#^\./##' | sort |
  xargs grep -HoE '^ *# *include +<[^>]+>' | sed -E 's/^([^:]+):.*<([^>]+)>/\1 \2/')

say 'a library'"'"'s header in a file that does not own it' "$(
  echo "$includes" | grep -vE " $system\$" |
    while read -r file header; do
      echo "$rows" | while read -r pattern owner; do
        echo "$header" | grep -qxE "$pattern" || continue
        case $file in "$owner" | "$owner"/*) echo owned ;; esac
      done | grep -q owned || echo "  $file includes <$header>"
    done)"
say 'a library'"'"'s header in a header' \
  "$(echo "$includes" | grep -vE " $system\$" | grep -E '^[^ ]+\.h ' | sed 's/^/  /')"
say 'an owner that does not include it' "$(
  echo "$rows" | while read -r pattern owner; do
    echo "$includes" | grep -qE "^$owner[^ ]* $pattern\$" || echo "  $owner: <$pattern>"
  done)"
exit $bad
