#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real Prometheus posts straight to us, as to an Alertmanager: a target that is down opens an
# incident, the target that comes back resolves it. Nothing but the URL names Tocsin.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
command -v prometheus > /dev/null || flow_skip "no prometheus here"
command -v "$python" > /dev/null || flow_skip "no python3 here"
flow_config << EOF
sources:
  - syslog_udp: {listen: '127.0.0.1:0'}
http: {listen: '127.0.0.1:0'}
EOF
flow_start
flow_free_port target
flow_free_port own
cat > "$flow_dir/rules.yml" << 'EOF'
groups:
  - name: targets
    rules:
      - alert: TargetDown
        expr: up{job="shop"} == 0
        labels: {severity: critical, service: shop}
        annotations: {summary: 'The shop does not answer'}
EOF
cat > "$flow_dir/prometheus.yml" << EOF
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['$flow_dir/rules.yml']
alerting:
  alertmanagers:
    - static_configs: [{targets: ['${flow_url#http://}']}]
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ['127.0.0.1:$target']}]
EOF
flow_background prometheus --config.file="$flow_dir/prometheus.yml" \
  --storage.tsdb.path="$flow_dir/tsdb" --web.listen-address="127.0.0.1:$own" \
  --rules.alert.resend-delay=2s > "$flow_dir/prometheus" 2>&1
has() { "$tocsin" incidents --url "$flow_url" --json --state "$1" | grep -q TargetDown; }
flow_wait 60 has open || flow_fail "the target is down and no incident opens: $(tail -n 3 "$flow_dir/prometheus")"
flow_note "a target that is down opened an incident"
cat > "$flow_dir/shop.py" << EOF
import http.server
class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"shop_orders 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", $target), Shop).serve_forever()
EOF
flow_background "$python" "$flow_dir/shop.py"
flow_wait 60 has resolved || flow_fail "the target is back and the incident stays: $("$tocsin" incidents --url "$flow_url" --json)"
flow_note "the target that came back resolved it"
flow_stop || flow_fail "SIGTERM did not end with 0"
