#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dashboard and the alert rules about Tocsin itself: every metric that they name is one that the
# program has, with the labels they ask for; every rule fires for its history and no other; and a
# real Prometheus, which scrapes the program, takes the rules, evaluates them and the dashboard's
# queries without an error, and says that Tocsin is down once it is.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
packaging=$(dirname "$(readlink -f "$0")")/../../packaging
command -v promtool > /dev/null || flow_skip "no promtool here"
command -v "$python" > /dev/null || flow_skip "no python3 here"

promtool check rules "$packaging/prometheus/tocsin-alerts.yml" > "$flow_dir/promtool" 2>&1 ||
  flow_fail "$(cat "$flow_dir/promtool")"
promtool test rules "$packaging/prometheus/tocsin-alerts.test.yml" > "$flow_dir/promtool" 2>&1 ||
  flow_fail "$(cat "$flow_dir/promtool")"
for alert in $(sed -n 's/^ *- alert: //p' "$packaging/prometheus/tocsin-alerts.yml"); do
  grep -q "alertname=\"$alert\"" "$packaging/prometheus/tocsin-alerts.test.yml" ||
    flow_fail "$alert has no history that makes it fire"
done
flow_note "each rule fires for its history and no other"

flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start
curl -sf "$flow_url/metrics" > "$flow_dir/metrics" || flow_fail "no /metrics"
cat > "$flow_dir/look.py" << 'EOF'
import json, re, sys
metrics, dashboard, rules, queries = sys.argv[1:]
has = {}
for name, labels in re.findall(r"^(tocsin_\w+)(\{.*\})? ", open(metrics).read(), re.M):
    has.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
bad = []
def look(where, text):
    names = re.findall(r"tocsin_\w+", text)
    if not names:
        bad.append(f"{where}: names no metric")
    for name in names:
        if name not in has:
            bad.append(f"{where}: {name} is no metric of the program")
    # labels that a selector or `by` asks for, beside those that Prometheus gives
    wanted = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', text))
    for by in re.findall(r"by \(([^)]*)\)", text):
        wanted |= {w.strip() for w in by.split(",")}
    of = set().union(*(has.get(n, set()) for n in names)) | {"instance", "job"}
    for label in wanted - of:
        bad.append(f"{where}: no metric in it has the label {label}")
board = json.load(open(dashboard))
panels = [p for p in board["panels"] if p["type"] != "row"]
asked = []
for p in panels:
    for t in p["targets"]:
        look("panel " + p["title"], t["expr"])
        asked.append(t["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m"))
look("variable", board["templating"]["list"][1]["query"]["query"])
ids = [p["id"] for p in board["panels"]]
if len(ids) != len(set(ids)):
    bad.append("two panels have one id")
cells = set()
for p in board["panels"]:
    g = p["gridPos"]
    mine = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
    if cells & mine or g["x"] + g["w"] > 24:
        bad.append(f"panel {p['title']} lies over another, or outside")
    cells |= mine
text = "\n".join(l for l in open(rules).read().splitlines() if not l.lstrip().startswith("#"))
found = re.findall(r"- alert: (\w+)\n\s+expr: (.*?)\n\s+(?:for|labels):", text, re.S)
if len(found) != text.count("- alert:"):
    bad.append("a rule was not read")
for name, expr in found:
    if name != "TocsinDown": # of the scrape itself
        look("alert " + name, expr)
json.dump(asked, open(queries, "w"))
print("\n".join(bad))
sys.exit(bool(bad))
EOF
"$python" "$flow_dir/look.py" "$flow_dir/metrics" "$packaging/grafana/tocsin.json" \
  "$packaging/prometheus/tocsin-alerts.yml" "$flow_dir/queries" > "$flow_dir/faults" ||
  flow_fail "$(cat "$flow_dir/faults")"
flow_note "every metric and label of dashboard and rules is there"

command -v prometheus > /dev/null || flow_skip "the rest: no prometheus here"
flow_free_port own
# two minutes of absence are two seconds here
sed 's/for: 2m/for: 2s/' "$packaging/prometheus/tocsin-alerts.yml" > "$flow_dir/rules.yml"
cat > "$flow_dir/prometheus.yml" << EOF
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['$flow_dir/rules.yml']
scrape_configs:
  - job_name: tocsin
    static_configs: [{targets: ['${flow_url#http://}']}]
EOF
flow_background prometheus --config.file="$flow_dir/prometheus.yml" \
  --storage.tsdb.path="$flow_dir/tsdb" --web.listen-address="127.0.0.1:$own" > "$flow_dir/prometheus" 2>&1
ask() { curl -sf -G "http://127.0.0.1:$own/api/v1/$1" "${@:2}"; }
is_scraped() { ask query --data-urlencode 'query=tocsin_record_ready' | grep -q '"value":\[[^]]*"1"\]'; }
flow_wait 60 is_scraped || flow_fail "Prometheus does not scrape it: $(tail -n 3 "$flow_dir/prometheus")"
rules_are_well() { # all of them evaluated, none with an error
  ask rules | "$python" -c 'import json, sys
rules = [r for g in json.load(sys.stdin)["data"]["groups"] for r in g["rules"]]
sys.exit(not rules or any(r["health"] != "ok" for r in rules))'
}
flow_wait 60 rules_are_well || flow_fail "a rule is not well: $(ask rules)"
"$python" -c 'import json, sys, urllib.parse, urllib.request
for query in json.load(open(sys.argv[1])):
    url = sys.argv[2] + "?" + urllib.parse.urlencode({"query": query})
    if json.load(urllib.request.urlopen(url))["status"] != "success":
        sys.exit(query)' "$flow_dir/queries" "http://127.0.0.1:$own/api/v1/query" 2> "$flow_dir/faults" ||
  flow_fail "a query of the dashboard: $(cat "$flow_dir/faults")"
flow_note "a real Prometheus evaluates all rules and all queries"
firing() { ask query --data-urlencode 'query=ALERTS{alertstate="firing"}' | grep -oE 'alertname":"[A-Za-z]+'; }
is_quiet() { ask query --data-urlencode 'query=ALERTS{alertstate="firing"}' | grep -q '"result":\[\]'; }
flow_wait 60 is_quiet || flow_fail "the program is well, and it fires: $(firing)" # before the first scrape it was down
flow_stop || flow_fail "SIGTERM did not end with 0"
is_told() { firing | grep -q TocsinDown; }
flow_wait 60 is_told || flow_fail "the program is down and nothing fires"
flow_note "the program that is down is told of"
