#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What people and programs say to the record: a 2xx is durable, also over a kill; what is sent again
# with its Idempotency-Key is the same; nothing is taken in silence; pages go on where they ended.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v redis-cli > /dev/null || flow_skip "no redis-cli here"
flow_config << EOF
sources: []
http: {listen: '127.0.0.1:0'}
EOF
flow_start
post() { # post PATH BODY [curl options] : the status
  curl -s -m 20 -D "$flow_dir/head" -o "$flow_dir/answer" -w '%{http_code}' -X POST "$flow_url/api/v1/$1" \
    -H 'Content-Type: application/json' -d "$2" "${@:3}"
}
get() { curl -s -m 20 -o "$flow_dir/answer" -w '%{http_code}' "$flow_url/api/v1/$1"; }
want() { # want STATUS GOT WORDS
  [ "$2" = "$1" ] || flow_fail "want $1, not $2: $(head -c 300 "$flow_dir/answer")"
  grep -q -- "$3" "$flow_dir/answer" || flow_fail "want '$3': $(head -c 300 "$flow_dir/answer")"
}
id_of() { sed -n 's/^{"id":"\([^"]*\)".*/\1/p' "$flow_dir/answer"; }
value() { "$python" -c "import json, sys; d = json.load(open('$flow_dir/answer')); print($1)"; }

# ---- reports --------------------------------------------------------------------------------------
want 201 "$(post incidents '{"title":"Badge lost","by":"ada"}' -H 'Idempotency-Key: k1')" 'Badge lost'
id=$(id_of)
grep -qi "^location: /api/v1/incidents/$id" "$flow_dir/head" || flow_fail "no Location: $(cat "$flow_dir/head")"
want 201 "$(post incidents '{"title":"Badge lost","by":"ada"}' -H 'Idempotency-Key: k1')" "$id"
want 422 "$(post incidents '{"title":"Door open","by":"ada"}' -H 'Idempotency-Key: k1')" "$id"
kill -KILL "$flow_pid"
wait "$flow_pid" 2> /dev/null
flow_start
want 200 "$(get "incidents/$id")" 'Badge lost'
[ "$(value '[e.get("by") for e in d["timeline"] if e["kind"] == "incident.opened"]')" = "['ada']" ] ||
  flow_fail "who reported it: $(cat "$flow_dir/answer")"
want 201 "$(post incidents '{"title":"Badge lost","by":"ada"}' -H 'Idempotency-Key: k1')" "$id"
want 200 "$(get incidents)" "$id"
[ "$(value 'len(d["incidents"])')" = 1 ] || flow_fail "one report, and $(value 'len(d["incidents"])') incidents"
flow_note "a report is there after a kill, once, and its answer says where"
socket=$(sed -n 's/^unixsocket "\(.*\)"/\1/p' "$(find "$flow_dir/data" -name redis.conf)")
redis-cli -s "$socket" config set min-replicas-to-write 3 > /dev/null
# the first one finds out that Redis refuses
for title in 'Wire cut' 'Wire cut again'; do
  want 503 "$(post incidents "{\"title\":\"$title\",\"by\":\"ada\"}")" error
  grep -qi '^retry-after:' "$flow_dir/head" || flow_fail "it does not say when to come again"
done
want 503 "$(post "incidents/$id/ack" '{"by":"ada"}')" error
redis-cli -s "$socket" config set min-replicas-to-write 0 > /dev/null
is_ready() { curl -fsS "$flow_url/readyz"; }
flow_wait 20 is_ready || flow_fail "it does not get ready again"
flow_note "while Redis refuses, a command is refused"

# ---- what is said wrongly -------------------------------------------------------------------------
bad() { want 400 "$(post "$1" "$2")" "$3"; }
bad "incidents/$id/ack" '{"by":"ada","nte":"typo"}' "'nte' is nothing that ack takes"
bad "incidents/$id/ack" '{"by":7}' 'by: want a text'
bad "incidents/$id/ack" '{"version":"1"}' 'version: want a whole number'
bad "incidents/$id/note" '{"note":["a"]}' 'note: want a text'
bad "incidents/$id/severity" '{"severity":"high","reason":"r","until":"tomorrow"}' 'until: want a time'
bad "incidents/$id/severity" '{"severity":"high","reason":"r","until":"2001-01-01T00:00:00Z"}' 'until: want a time in the future'
bad incidents '{"title":"t","occurred":"yesterday"}' 'occurred: want a time'
bad incidents '{"title":"t","occurred":"2999-01-01T00:00:00Z"}' 'not in the future'
bad incidents '{"title":"t","profile":"secruity"}' 'profile is security or operations'
bad incidents "{\"title\":\"$(printf 'x%.0s' {1..4001})\"}" 'title: want at most 4000 bytes, not 4001'
bad incidents '{"title":"t","idempotency_key":"k"}' 'header Idempotency-Key'
bad "incidents/$id/resolve" '{"disposition":"tp"}' 'a disposition is'
want 200 "$(get "incidents/$id")" '"state":"open"'
[ "$(value 'd["version"]')" = 1 ] || flow_fail "a refused command changed it: version $(value 'd["version"]')"
flow_note "unknown members, wrong types, bad times and long texts are refused with words"

# ---- notes and a long timeline ---------------------------------------------------------------------
"$python" - "$flow_url/api/v1/incidents/$id/note" > "$flow_dir/notes" << 'EOF' || flow_fail "notes: $(cat "$flow_dir/notes")"
import http.client, json, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
c = http.client.HTTPConnection(url.netloc)
said = {}
for n in range(1100):
    text = f'note {n} ' + ('x' * 350 if n < 700 else '')
    c.request('POST', url.path, json.dumps({'by': 'ada', 'note': text}), {'Content-Type': 'application/json'})
    r = c.getresponse()
    body = r.read().decode()
    said.setdefault(r.status, []).append(n)
    if r.status not in (200, 413):
        sys.exit(f'{r.status} {body}')
    if r.status == 413 and 'as many notes as it can' not in body:
        sys.exit(body)
print(len(said[200]), len(said.get(413, [])))
EOF
read -r taken refused < "$flow_dir/notes"
[ "$refused" -gt 0 ] || flow_fail "1,100 long notes were all answered 200"
want 200 "$(get "incidents/$id")" timeline
[ "$(value 'len(d["notes"])')" = "$taken" ] || flow_fail "$taken notes were taken, $(value 'len(d["notes"])') are there"
flow_note "$taken notes are kept, $refused were refused"
for n in $(seq 450); do
  post "incidents/$id/assign" "{\"by\":\"ada\",\"to\":\"bob$n\"}" > "$flow_dir/code"
done
want 200 "$(get "incidents/$id")" timeline
total=$(value 'd["timeline_total"]')
from=$(value 'd["timeline_from"]')
[ "$total" -gt 1000 ] || flow_fail "the timeline has $total entries"
[ "$from" = $((total - 999)) ] || flow_fail "of $total entries it shows those from $from on, and does not say so"
[ "$(value 'len(d["timeline"])')" = 1000 ] || flow_fail "a page has $(value 'len(d["timeline"])') entries"
want 200 "$(get "incidents/$id?timeline_before=$from")" timeline
[ "$(value 'd["timeline_from"], len(d["timeline"])')" = "1 $((from - 1))" ] ||
  flow_fail "the page before $from: $(value 'd["timeline_from"], len(d["timeline"])')"
[ "$(value 'd["timeline"][0]["kind"]')" = incident.opened ] || flow_fail "it does not begin with the opening"
want 400 "$(get "incidents/$id?timeline_before=soon")" 'timeline_before: want the number'
flow_note "a timeline of $total entries says where it begins, and goes on before that"

# ---- pages ----------------------------------------------------------------------------------------
for n in 1 2 3 4 5; do want 201 "$(post incidents "{\"title\":\"Case $n\",\"by\":\"ada\"}")" "Case $n"; done
want 200 "$(get 'incidents?state=open&limit=2')" 'Case 5'
next=$(value 'd["next"]')
last=$(value 'd["incidents"][-1]["id"]')
want 200 "$(post "incidents/$last/close" '{"by":"ada","disposition":"true_positive"}')" closed
want 200 "$(get "incidents?state=open&limit=2&after=$next")" 'Case 3'
[ "$(value '[i["title"] for i in d["incidents"]]')" = "['Case 3', 'Case 2']" ] ||
  flow_fail "the page behind a closed one: $(cat "$flow_dir/answer")"
next=$(value 'd["next"]')
want 200 "$(get "incidents?state=open&limit=9&after=$next")" 'Case 1'
[ "$(value '[i["title"] for i in d["incidents"] if i["title"].startswith("Case")]')" = "['Case 1']" ] ||
  flow_fail "the last page: $(cat "$flow_dir/answer")"
want 400 "$(get 'incidents?after=nosuch')" 'after: want what'
want 400 "$(get "incidents?after=$id")" 'after: want what'
flow_note "a page goes on where the one before ended, whatever became of who stood there"
flow_stop || flow_fail "SIGTERM did not end with 0"
