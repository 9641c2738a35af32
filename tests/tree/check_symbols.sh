#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every global function is named after its file or its folder's public header; nothing mutable
# stands at file scope but the logger and, in test builds, the test's clock.
set -u
build=${1:?the build folder}
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
bad=0
for library in base ingest rules correlator incidents sinks console app; do
  archive=$(ls "$build/$library/lib$library"*.a 2> /dev/null | head -n 1)
  [ -n "$archive" ] || continue
  mutable=$(objdump -t "$archive" 2> /dev/null | awk '
    /^[a-z_]+\.c\.o:/ {file=$1}
    $0 ~ / O (\.data|\.bss|\.tdata|\.tbss)/ && $0 !~ /\.data\.rel\.ro/ {print file, $NF}' |
    grep -vE '^log\.c\.o: logger|^test_clock\.c\.o: |__gcov|asan|ubsan')
  [ -z "$mutable" ] || { echo "mutable at file scope in $library:"; echo "$mutable"; bad=1; }
done
exit $bad
