#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every key that a reader accepts stands in its page of the manual as a term, and every term of a
# page is a key that some reader accepts; every option of every command stands in its --help, every
# command in tocsin(1); the man pages have no fault that groff knows.
set -u
build=$(readlink -f "${1:-build/dev}")
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 2
bad=0
fail() { echo "$*"; bad=1; }

# Keys in the tables of a source: option rows {"x", OPTION_..}, ROW_OF(x, ..), {.name = "x"}, document
# keys {"x", read, true}, and arrays of names called keys or known.
accepted() { # accepted FILE...
  cat "$@" | tr '\n' ' ' | grep -oE \
    '\{"[a-z_0-9]+", +OPTION_|ROW_OF\([a-z_]+,|\.name = "[a-z_]+"|\{"[a-z_0-9]+", (NULL|read_[a-z_0-9]+), (true|false)\}|(keys|known)\[\] = \{("[a-z_]+", )*("[a-z_]+"|NULL)\}|yaml_get\([a-z_]+, TEXT\("[a-z_]+"\)\)' |
    grep -v '^ROW_OF(member,' |
    sed -E 's/^ROW_OF\(([a-z_]+),/"\1"/' | grep -oE '"[a-z_0-9]+"' | tr -d '"' | sort -u
}
terms() { # terms PAGE : of its sections of keys
  awk '/^# / {on = ($0 ~ /KEY|CONDITIONS|EXPECTATIONS/)} on && /^= / {print $2}' "app/pages/$1.txt" | sort -u
}
hold() { # hold PAGE FILE... : keys of these files are the terms of this page, and the other way round
  local page=$1 missing extra
  shift
  [ -n "$(accepted "$@")" ] || fail "$page: no key was found in $*"
  missing=$(comm -23 <(accepted "$@") <(terms "$page"))
  extra=$(comm -13 <(accepted "$@") <(terms "$page"))
  [ -z "$missing" ] || fail "$page does not tell of: $(echo $missing)"
  [ -z "$extra" ] || fail "$page tells of what nobody reads: $(echo $extra)"
}
hold tocsin-rules.7 rules/read/extension.c
hold tocsin-overrides.5 rules/read/override.c
hold tocsin-entities.5 incidents/model/inventory.c
hold tocsin-tests.5 app/timeline.c app/expect.c
hold tocsin-sinks.5 sinks/route.c

hold_some() { # hold_some PAGE FILE... : keys of these files stand there
  local page=$1 missing
  shift
  missing=$(comm -23 <(accepted "$@") <(terms "$page"))
  [ -z "$missing" ] || fail "$page does not tell of: $(echo $missing)"
}
known() { # known PAGE FILE... : its terms are keys of these files
  local page=$1 extra
  shift
  extra=$(comm -13 <(accepted "$@") <(terms "$page"))
  [ -z "$extra" ] || fail "$page tells of what nobody reads: $(echo $extra)"
}
hold_some tocsin-decoders.5 rules/decode/decoder_builder.c rules/decode/decoder_pattern.c rules/decode/own_time.c
known tocsin-decoders.5 rules/decode/*.c
hold_some tocsin-mappings.5 rules/decode/mapping_builder.c rules/decode/mapping_condition.c
known tocsin-mappings.5 rules/decode/*.c

tocsin=$build/app/tocsin
[ -x "$tocsin" ] || { echo "no binary at $tocsin"; exit 2; }
one=$("$tocsin" help tocsin)
while read -r command; do
  grep -q "^ *tocsin $command\$" <<< "$one" || fail "tocsin(1) does not tell of $command"
  "$tocsin" "$command" --help > /dev/null || fail "tocsin $command --help fails"
done < <("$tocsin" --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
for key in $("$tocsin" run --print-config | sed -nE 's/^ *([a-z_]+):.*/\1/p' | sort -u); do
  "$tocsin" help yml | grep -qE "^ *#? *-? *$key:" || fail "tocsin.yml(5) does not tell of $key"
done
for page in app/pages/*.txt; do
  name=$(basename "$page" .txt)
  "$tocsin" help "$name" > /dev/null || fail "tocsin help $name fails"
  if command -v groff > /dev/null; then
    faults=$("$tocsin" help "$name" --man | groff -man -Tutf8 -ww 2>&1 > /dev/null)
    [ -z "$faults" ] || fail "$name: $faults"
  fi
  for other in $(grep -oE 'tocsin[a-z.-]*\([0-9]\)' "$page" | sort -u); do
    stem=${other%(*}
    section=${other#*(}
    [ -e "app/pages/$stem.${section%)}.txt" ] || fail "$page names $other, which is no page"
  done
done
"$tocsin" help no-such-page 2> /dev/null && fail "a page that is none is no failure"
exit $bad
