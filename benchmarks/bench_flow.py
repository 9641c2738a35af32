#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The running program from outside: how long from an event's sending to the incident and to the
first webhook, at half of what it can take; and how long a restart takes with many windows. Prints
one JSON object a case.

    bench_flow.py BINARY [--quick]

The load is sshd lines over one TCP connection. The rate that it can take is measured first, in the
same run. Logins that open an incident, each from an address of its own, go over a second
connection; the clock stops when our own HTTP receiver has the webhook."""
import argparse, http.server, json, os, pathlib, shutil, socket, statistics, subprocess, sys
import tempfile, threading, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENTITIES = "entities:\n  - {kind: address, cidr: 203.0.0.0/16, criticality: 2}\n"


class Receiver(http.server.BaseHTTPRequestHandler):
    seen = {}

    def do_POST(self):
        now = time.time()
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        for entity in body.get("incident", {}).get("entities", []):
            Receiver.seen.setdefault(entity["value"], now)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Program:
    def __init__(self, binary, folder, rules, hook):
        self.binary, self.folder = binary, folder
        self.config = folder / "tocsin.yml"
        # priority 1 is told alone also in a storm: otherwise the eleventh is held for a digest
        (folder / "entities.yml").write_text(ENTITIES)
        self.config.write_text(
            f"entities: '{folder / 'entities.yml'}'\nrules: [{rules}]\nsources:\n  - syslog_tcp: {{listen: '127.0.0.1:0'}}\n"
            "http: {listen: '127.0.0.1:0'}\njournal: {reserve: 16MiB}\n"
            f"sinks:\n  - webhook: {{url: 'http://127.0.0.1:{hook}/', allow_private: true}}\n")

    def start(self):
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "run", "--config", self.config, "--data", self.folder / "data"],
            stdout=subprocess.PIPE, stderr=open(self.folder / "log", "ab"), text=True)
        for line in self.process.stdout:
            kind, _, rest = line.strip().partition(" ")[2].partition(" ")
            if kind == "syslog-tcp":
                self.port = int(rest.rpartition(":")[2])
            if kind == "http":
                self.url = "http://" + rest
            if line.startswith("ready tocsin"):
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return time.monotonic() - begun
        sys.exit((self.folder / "log").read_text())

    def metric(self, name):
        with urllib.request.urlopen(self.url + "/metrics", timeout=30) as answer:
            return sum(float(line.rpartition(" ")[2]) for line in answer.read().decode().splitlines()
                       if line.startswith("tocsin_" + name) and not line.startswith("#"))

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def block(lines):
    stamp = time.strftime("%b %e %H:%M:%S", time.gmtime())
    return "".join(f"<38>{stamp} host{n % 50} sshd[{n}]: Connection closed by 198.51.100.{n % 250} "
                   f"port {20000 + n} [preauth]\n" for n in range(lines)).encode(), lines


def wait_decided(program, count, limit=120):
    until = time.monotonic() + limit
    while program.metric("events_parsed_total") < count:
        if time.monotonic() > until:
            sys.exit("the load was not decided in time")
        time.sleep(0.02)


def capacity(program, blocks):
    data, lines = block(10000)
    before, cpu, begun = program.metric("events_parsed_total"), program.cpu(), time.monotonic()
    with socket.create_connection(("127.0.0.1", program.port)) as s:
        for _ in range(blocks):
            s.sendall(data)
    wait_decided(program, before + blocks * lines)
    wall = time.monotonic() - begun
    return blocks * lines / wall, blocks * lines / (program.cpu() - cpu)


def paced(program, rate, over):
    data, lines = block(1000)
    due = time.monotonic()
    with socket.create_connection(("127.0.0.1", program.port)) as s:
        while not over.is_set():
            s.sendall(data)
            due += lines / rate
            time.sleep(max(0, due - time.monotonic()))


def attack(s, n):
    address = f"203.0.{n // 250}.{n % 250 + 1}"
    stamp = time.strftime("%b %e %H:%M:%S", time.gmtime())
    sent = time.time()
    s.sendall(f"<38>{stamp} web{n} sshd[9]: Accepted password for bench{n} from {address} port 9 "
              "ssh2\n".encode())
    return address, sent


def show(case, **values):
    print(json.dumps({"case": case, **values}), flush=True)


def percentile(values, p):
    values = sorted(values)
    return round(values[min(len(values) - 1, int(len(values) * p))] * 1000, 1)


def latency(program, attacks, rate):
    over, sent = threading.Event(), {}
    load = threading.Thread(target=paced, args=(program, rate, over))
    load.start()
    time.sleep(1)
    with socket.create_connection(("127.0.0.1", program.port)) as s:
        for n in range(attacks):
            address, when = attack(s, n)
            sent[address] = when
            time.sleep(0.05)
    until = time.monotonic() + 30
    while len([a for a in sent if a in Receiver.seen]) < attacks and time.monotonic() < until:
        time.sleep(0.05)
    over.set()
    load.join()
    told = [Receiver.seen[a] - t for a, t in sent.items() if a in Receiver.seen]
    show("line sent to webhook received, half load", load_per_s=round(rate), attacks=attacks,
         arrived=len(told), p50_ms=percentile(told, 0.5), p99_ms=percentile(told, 0.99))


def restart(program, windows):
    stamp = time.strftime("%b %e %H:%M:%S", time.gmtime())
    before = program.metric("events_parsed_total")
    with socket.create_connection(("127.0.0.1", program.port)) as s:
        for base in range(0, windows, 10000):
            s.sendall("".join(
                f"<38>{stamp} web1 sshd[1]: Failed password for root from 10.{n >> 16}.{n >> 8 & 255}."
                f"{n & 255} port 4 ssh2\n" for n in range(base, base + 10000)).encode())
    wait_decided(program, before + windows)
    position = program.metric("journal_next_position")
    until = time.monotonic() + 60
    while program.metric("checkpoint_position") < position - 10 and time.monotonic() < until:
        time.sleep(0.1)
    taken = program.metric("checkpoint_seconds")
    held = program.metric("correlator_windows{")
    program.process.kill()
    program.process.wait()
    ready = program.start()
    time.sleep(2)  # the gauge is told with the next tick
    show("restart after SIGKILL, from its checkpoint", windows=round(held), ready_s=round(ready, 2),
         windows_after=round(program.metric("correlator_windows{")), last_checkpoint_s=taken)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rules = f"share, '{ROOT / 'benchmarks/rules/bench_attack.yml'}'"
    program = Program(options.binary, folder, rules, server.server_address[1])
    try:
        show("start, empty", ready_s=round(program.start(), 2))
        rates = [capacity(program, 5 if options.quick else 100) for _ in range(1 if options.quick else 3)]
        rate = statistics.median(r[0] for r in rates)
        show("TCP, one connection, shipped rules, journal `batch`", lines_per_s=round(rate),
             lines_per_cpu_s=round(statistics.median(r[1] for r in rates)))
        latency(program, 20 if options.quick else 200, rate / 2)
        restart(program, 20000 if options.quick else 1000000)
        program.process.terminate()
        show("stop", status=program.process.wait(timeout=60))
    finally:
        if program.process.poll() is None:
            program.process.kill()
        shutil.rmtree(folder, ignore_errors=True)


main()
