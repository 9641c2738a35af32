#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same work done by Tocsin and by its peers, in one run: the public Sigma rules over real
Windows events beside rsigma and pySigma over SQLite, and sshd text beside SEC. Prints one JSON
object a line: figures, then ratios, then where the engines' answers differ.

    bench_peers.py BINARY [--runs N] [--quick] [--no-install] [--only rules|text]
                   [--sizes 1,100,all] [--text-sizes 1,500]        (TOCSIN_CORPORA must be set)

Every command is pinned to one CPU. A figure is the median CPU time of the runs less the median of
the same command over an empty input, so that compiling the rules is told apart (`load_cpu_s`).
rsigma and pySigma are installed below .cache/ when they are missing; --quick installs nothing."""
import argparse, collections, hashlib, json, os, pathlib, re, resource, shutil, statistics
import subprocess, sys, tempfile, uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks/peers"))
import tagging

RSIGMA = ROOT / ".cache/cargo/bin/rsigma"
PYSIGMA = ROOT / ".cache/pysigma/bin/python3"
PARTS = ("rules", "rules-emerging-threats", "rules-threat-hunting")
SIZES = (1, 10, 100, 1000, 0)  # 0: all
TEXT_SIZES = (1, 50, 500)
# A fast engine is through 26,560 events in less than the noise of its start-up.
COPIES = {"tocsin": 8, "rsigma": 2}
SEC_LINES = 100_000  # SEC needs minutes for all of them; a tenth from 50 rules on
MESSAGES = (("Failed password for ", "Failed password for .* from "),
            ("Received disconnect from ", "Received disconnect from "),
            ("Invalid user ", "Invalid user .* from "))


def show(**row):
    print(json.dumps(row), flush=True)
    return row


def skipped(peer, why):
    show(peer=peer, skipped=why)


def cpu_of(command, out):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(out, "wb") as stdout, tempfile.TemporaryFile() as stderr:
        done = subprocess.run(["taskset", "-c", "0", *map(str, command)], stdout=stdout, stderr=stderr)
        stderr.seek(0)
        text = stderr.read().decode(errors="replace")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.returncode, text


def median_cpu(command, out, runs):
    """Median of the runs, after one that warms up caches where there is more than one."""
    times = []
    for _ in range(runs + (runs > 1)):
        cpu, code, text = cpu_of(command, out)
        if code:
            sys.exit(f"{command[0]}: status {code}: {text[-500:]}")
        times.append(cpu)
    return statistics.median(times[1:] if runs > 1 else times)


class Bench:
    def __init__(self, options, folder):
        self.binary, self.folder = options.binary, folder
        self.runs = 1 if options.quick else options.runs
        self.quick = options.quick
        self.options = options
        self.empty = folder / "empty"
        self.empty.write_bytes(b"")
        self.out = folder / "out"

    def figure(self, case, engine, count, command, runs=None, **more):
        """`command(input)` over the real input and over none; the row of what lies between."""
        runs = runs or self.runs
        load = median_cpu(command(None), self.out, runs)
        net = max(median_cpu(command(more.pop("source")), self.out, runs) - load, 1e-3)
        return show(case=case, engine=engine, events=count, runs=runs, load_cpu_s=round(load, 3),
                    cpu_s=round(net, 3), events_per_cpu_s=round(count / net),
                    ns_per_event=round(net / count * 1e9), **more)

    def tocsin(self, rules, *more):
        def command(source):
            return [self.binary, "replay", "--rules", rules, "--workers", "1", "--shards", "1", *more,
                    "--detections", "-", source or self.empty]
        return command


def named(size):
    return {0: "all rules", 1: "1 rule"}.get(size, f"{size:,} rules")


def ratio(name, ours, theirs):
    show(ratio=name, value=round(theirs["ns_per_event"] / ours["ns_per_event"], 1))


# ---- the public rules over Windows events ----

def rule_files(corpora):
    """All rule files in an order that no engine favours."""
    base = corpora / "sigma"
    files = [f for part in PARTS for f in (base / part).rglob("*.yml")]
    return sorted(files, key=lambda f: hashlib.sha256(str(f.relative_to(base)).encode()).digest())


def rule_folder(bench, files, size):
    folder = bench.folder / f"rules-{size}"
    folder.mkdir()
    for number, file in enumerate(files[:size] if size else files):
        shutil.copyfile(file, folder / f"{number:05}-{file.name}")
    return folder


def tagged_events(bench, packed, limit):
    """Once for SQLite, and as often as COPIES says for the others: {engine: (path, copies)}."""
    once = bench.folder / "events.jsonl"
    with open(once, "wb") as out:
        source = subprocess.Popen(["zcat", packed], stdout=subprocess.PIPE)
        count = 0
        for count, line in enumerate(source.stdout, 1):
            out.write(tagging.tag_line(line))
            if count == limit:
                break
        source.stdout.close()
        source.wait()
    inputs = {}
    for engine, copies in COPIES.items():
        copies = 1 if bench.quick else copies
        inputs[engine] = bench.folder / f"events-{engine}.jsonl", copies
        with open(inputs[engine][0], "wb") as out:
            for _ in range(copies):
                out.write(once.read_bytes())
    return once, count, inputs


def matches_by_rule(path, read, copies):
    found = collections.Counter()
    with open(path, "rb") as lines:
        for line in lines:
            name = read(json.loads(line))
            if name:
                found[name] += 1
    return {name: hits // copies for name, hits in found.items()}


def rsigma_command(rules, bench):
    def command(source):
        return [RSIGMA, "engine", "eval", "--rules", rules, "--output-format", "ndjson",
                "--logsource-routing", "--logsource-field-map",
                "product=_product,service=_service,category=_category",
                "--event", f"@{source or bench.empty}"]
    return command


def tell_matches(engine, rules, found):
    show(matches_of=engine, rules=rules, matches=sum(found.values()), rules_matched=len(found))


def compare(name, ours, theirs):
    names = set(ours) | set(theirs)
    differ = sorted((n for n in names if ours.get(n, 0) != theirs.get(n, 0)),
                    key=lambda n: (-abs(ours.get(n, 0) - theirs.get(n, 0)), n))
    show(agreement=f"tocsin, {name}", rules_equal=len(names) - len(differ), rules_differing=len(differ),
         largest=[{"rule": n, "tocsin": ours.get(n, 0), name: theirs.get(n, 0)} for n in differ[:8]])


def bench_size(bench, files, size, events):
    _, count, inputs = events
    label = named(size)
    rules = rule_folder(bench, files, size)
    source, copies = inputs["tocsin"]
    ours = bench.figure(label, "tocsin", count * copies, bench.tocsin(rules), source=source)
    found = matches_by_rule(bench.out, lambda d: d["rule"]["id"], copies)
    tell_matches("tocsin", label, found)
    if RSIGMA.exists():
        source, copies = inputs["rsigma"]
        theirs = bench.figure(label, "rsigma", count * copies, rsigma_command(rules, bench), source=source)
        other = matches_by_rule(bench.out, lambda d: d.get("rule_id"), copies)
        tell_matches("rsigma", label, other)
        ratio(f"tocsin / rsigma, {label}, events per CPU second", ours, theirs)
        if not size:
            compare("rsigma", found, other)
    return ours, found, rules


def bench_sqlite(bench, rules, events, ours, found):
    once, count, _ = events
    cpu, code, text = cpu_of([PYSIGMA, ROOT / "benchmarks/peers/sqlite_rules.py", rules, once], bench.out)
    if code:
        return skipped("pySigma over SQLite", text[-300:])
    result = json.loads(bench.out.read_text())
    other = result.pop("by_rule")
    net = result["load_s"] + result["query_s"]
    theirs = show(case=f"{result['files']} rules", engine="pySigma over SQLite", runs=1, cpu_s=round(net, 3),
                  events_per_cpu_s=round(count / net), ns_per_event=round(net / count * 1e9), **result)
    tell_matches("pySigma over SQLite", f"{result['files']} rules", other)
    ratio(f"tocsin / pySigma over SQLite, {result['files']} rules, events per CPU second", ours, theirs)
    compare("pySigma over SQLite", found, other)


def bench_rules(bench, corpora):
    files = rule_files(corpora)
    events = tagged_events(bench, corpora / "windows/events.jsonl.gz", 2000 if bench.quick else 0)
    rows = {}
    for size in bench.options.sizes or ((1, 100) if bench.quick else SIZES):
        rows[size], found, rules = bench_size(bench, files, size, events)
        last = rows[size]
    if {0, 100} <= rows.keys():
        show(ratio="tocsin, all rules / 100 rules, cost of an event",
             value=round(rows[0]["ns_per_event"] / rows[100]["ns_per_event"], 2))
    if PYSIGMA.exists():
        bench_sqlite(bench, rules, events, last, found)


# ---- sshd text ----

def text_conditions(path):
    """(message, first octet) pairs, the octets that fail most first: rule 1 has work to do."""
    octets = collections.Counter()
    with open(path, errors="replace") as lines:
        for line in lines:
            found = re.search(r"Failed password for .* from (?:::ffff:)?(\d+)\.", line)
            if found:
                octets[int(found.group(1))] += 1
    order = sorted((o for o in range(1, 224) if o != 127), key=lambda o: (-octets[o], o))
    return [(start, pattern, octet) for start, pattern in MESSAGES for octet in order]


def tocsin_rules(path, conditions):
    documents = []
    for number, (start, _, octet) in enumerate(conditions):
        ids = [uuid.uuid5(uuid.NAMESPACE_OID, f"peers-{kind}-{number}") for kind in ("line", "five")]
        documents.append(f"""title: '{start}{octet}'
id: {ids[0]}
name: peers-line-{number}
status: test
logsource: {{product: linux, service: sshd}}
detection:
  selection: {{message|startswith: '{start}', src_ip|startswith: '{octet}.'}}
  condition: selection
level: low
---
title: five times '{start}{octet}'
id: {ids[1]}
name: peers-five-{number}
status: test
correlation:
  type: event_count
  rules: [peers-line-{number}]
  group-by: [src_ip]
  timespan: 60s
  condition: {{gte: 5}}
level: medium
""")
    path.mkdir()
    (path / "peers.yml").write_text("---\n".join(documents))
    return path


def sec_rules(path, conditions):
    path.write_text("\n".join(f"""type=SingleWithThreshold
ptype=RegExp
pattern=sshd\\[\\d+\\]: {pattern}(?:::ffff:)?({octet}\\.\\d+\\.\\d+\\.\\d+)
desc=five times {start}$1
action=write - fired $1; reset 0
window=60
thresh=5
""" for start, pattern, octet in conditions))
    return path


def unpack(bench, packed, name, limit):
    plain = bench.folder / name
    subprocess.run(f"zcat '{packed}' | head -n {limit} > '{plain}'", shell=True, check=True)
    with open(plain, "rb") as lines:
        return plain, sum(1 for _ in lines)


def bench_text_size(bench, size, conditions, whole, few):
    label = f"sshd, {named(size)}"
    rules = tocsin_rules(bench.folder / f"text-{size}", conditions[:size])
    command = bench.tocsin(rules, "--fire", "consume")
    ours = bench.figure(label, "tocsin", whole[1], command, source=whole[0])
    cpu_of(command(few[0]), bench.out)
    fired = bench.out.read_bytes().count(b"\n")
    if not shutil.which("sec"):
        return ours
    config = sec_rules(bench.folder / f"sec-{size}.conf", conditions[:size])

    def sec(source):
        return ["sec", f"--conf={config}", f"--input={source or bench.empty}", "--fromstart", "--notail", "--quiet"]

    theirs = bench.figure(label, "sec", few[1], sec, source=few[0], runs=1 if size > 50 else None)
    # SEC's windows run by the clock of the wall: all these lines fall into one
    show(fired_over=few[1], rules=size, tocsin=fired, sec=bench.out.read_bytes().count(b"fired "))
    ratio(f"tocsin / sec, {label}, lines per CPU second", ours, theirs)
    return ours


def bench_text(bench, corpora):
    packed = corpora / "sshd/slice_1m.log.gz"
    whole = unpack(bench, packed, "sshd.log", 5000 if bench.quick else 1_000_000)
    limit = 2000 if bench.quick else SEC_LINES
    few = unpack(bench, packed, "few.log", limit), unpack(bench, packed, "fewer.log", limit // 10)
    conditions = text_conditions(few[0][0])
    sizes = bench.options.text_sizes or TEXT_SIZES
    rows = [bench_text_size(bench, size, conditions, whole, few[size >= 50]) for size in sizes]
    if len(rows) > 1:
        show(ratio=f"tocsin, sshd, {named(sizes[-1])} / {named(sizes[0])}, cost of a line",
             value=round(rows[-1]["ns_per_event"] / rows[0]["ns_per_event"], 2))


def sizes_of(text):
    return [0 if word == "all" else int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-install", action="store_true", help="only the peers that are there")
    parser.add_argument("--only", choices=("rules", "text"), help="one half of it")
    parser.add_argument("--sizes", type=sizes_of, help="numbers of public rules, or all")
    parser.add_argument("--text-sizes", type=sizes_of, help="numbers of rules over sshd text")
    options = parser.parse_args()
    if not os.environ.get("TOCSIN_CORPORA"):
        print("skipped: TOCSIN_CORPORA is not set")
        sys.exit(77)
    corpora = pathlib.Path(os.environ["TOCSIN_CORPORA"])
    if not options.quick and not options.no_install:
        subprocess.run([ROOT / "benchmarks/peers/install"], stdout=sys.stderr)
    why = "not installed (benchmarks/peers/install)"
    for peer, is_there in (("rsigma", RSIGMA.exists()), ("pySigma over SQLite", PYSIGMA.exists()),
                           ("sec", shutil.which("sec"))):
        if not is_there:
            skipped(peer, why)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        if options.only != "text":
            bench_rules(bench, corpora)
        if options.only != "rules":
            bench_text(bench, corpora)


main()
