#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: base < ingest, rules, correlator, incidents < sinks, console < app.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
bad=0
refuse() { # refuse FOLDER 'allowed|folders' : the folder's files include only those
  local hits
  hits=$(grep -nE '#include "[a-z_]+/' "$1"/*.[ch] | grep -vE "#include \"($2)/")
  [ -z "$hits" ] || { echo "$hits"; bad=1; }
}
refuse base 'base'
refuse ingest 'base|ingest'
refuse rules 'base|rules'
refuse correlator 'base|correlator'
refuse incidents 'base|incidents'
refuse sinks 'base|incidents|sinks'
refuse console 'base|incidents|console'
# of another folder only its public face
for folder in ingest rules correlator incidents sinks console; do
  hits=$(grep -nE "#include \"$folder/" $(ls ./*/*.[ch] | grep -vE "^./($folder|tests|benchmarks)/") |
    grep -v "#include \"$folder/$folder.h\"")
  [ -z "$hits" ] || { echo "$hits"; bad=1; }
done
# a third-party header is an adapter's
adapters() { # adapters HEADER FILE... : nobody else includes it
  local hits
  hits=$(grep -lE "#include <$1>" ./*/*.[ch] | grep -v '^./tests/\|^./benchmarks/' | sed 's#^\./##' |
    grep -vxF "$(printf '%s\n' "${@:2}")")
  [ -z "$hits" ] || { echo "<$1> is included by: $hits"; bad=1; }
}
adapters 'yaml\.h' base/yaml.c
adapters 'hs/hs\.h|hs\.h' rules/scan.c rules/hyperscan.c rules/probe.c
adapters 'hiredis.*' incidents/redis.c
adapters 'microhttpd\.h' console/server.c
exit $bad
