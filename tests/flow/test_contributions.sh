#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an incident says of itself: each contribution under the title of its own rule with that rule's
# lines, the title of the strongest, and a title that stands among the contributions.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
rule() { # rule NUMBER TITLE LEVEL FAMILY WORD
  cat << EOF
title: $2
id: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d000$1
status: test
logsource: {product: linux, service: sshd}
detection: {s: {message|contains: $5}, condition: s}
level: $3
tags: [attack.$6]
tocsin: {family: $4, entity: {field: host, kind: host}}
---
EOF
}
{
  rule 1 'First of two' high door word-one initial-access
  rule 2 'Second of two' high door word-two initial-access
  rule 3 'Low beside them' low door word-low initial-access
  rule 4 'Another matter' high other word-other execution
  rule 5 'The worst of all' critical worst word-worst impact
} | sed '$d' > "$flow_dir/rules.yml"
line() { echo "<38>1 2026-03-04T10:00:0${1}Z h1 sshd 1 - - $2"; }
story() { # story LINES : the incident or candidate with all of it
  "$tocsin" replay --rules "$flow_dir/rules.yml" --incidents - "$1" | grep '"kind":"incident"' > "$flow_dir/said"
}
has() { grep -qE "$2" "$flow_dir/said" || flow_fail "$1: no /$2/ in $(cat "$flow_dir/said")"; }

{ line 1 word-low; line 2 word-one; line 3 word-low; line 4 word-two; line 5 word-other; } > "$flow_dir/lines"
story "$flow_dir/lines"
has 'equal rules of one family' '"contributions":\[.*"title":"First of two","family":"door"'
has 'its own lines' '"title":"First of two".*"first_evidence":\[2\],"last_evidence":\[2\]'
has 'the title of what opened' '"title":"(First of two|Another matter): host h1"'
flow_note "a contribution shows its own rule's lines"

{ cat "$flow_dir/lines"; line 6 word-worst; line 7 word-one; } > "$flow_dir/more"
story "$flow_dir/more"
has 'a critical one follows' '"title":"The worst of all: host h1"'
has 'each once, ascending' '"title":"First of two".*"first_evidence":\[2,7\]'
flow_note "the title is the strongest's"
