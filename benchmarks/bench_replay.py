#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin replay` over a million real sshd lines on one core, beside `zcat | wc -l` and SEC doing
the same rule on the same lines, in one run. Prints one JSON object a case: median of the runs.

    bench_replay.py BINARY [--runs N] [--quick]        (TOCSIN_CORPORA must be set)

The file is decompressed before (so that gzip, which bounds everything at about 1.5 M lines/s, is
no part of it) and also read compressed. Each case is pinned to one CPU."""
import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time, resource

SEC_LINES = 100_000  # SEC takes minutes for all of them
SEC_RULE = r"""type=SingleWithThreshold
ptype=RegExp
pattern=sshd\[\d+\]: Failed password for .* from (?:::ffff:)?(\S+) port \d+
desc=guessing from $1
action=write - fired $1
window=60
thresh=5
"""


def timed(command, cwd=None):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, shell=isinstance(command, str), cwd=cwd)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return wall, cpu, done


def show(name, lines, runs, **more):
    wall = statistics.median(r[0] for r in runs)
    cpu = statistics.median(r[1] for r in runs)
    row = {"case": name, "lines": lines, "runs": len(runs), "wall_s": round(wall, 3),
           "cpu_s": round(cpu, 3), "lines_per_s": round(lines / wall),
           "lines_per_cpu_s": round(lines / cpu), **more}
    print(json.dumps(row), flush=True)
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    corpora = os.environ.get("TOCSIN_CORPORA")
    if not corpora:
        print("skipped: TOCSIN_CORPORA is not set")
        sys.exit(77)
    packed = pathlib.Path(corpora) / "sshd/slice_1m.log.gz"
    rules = pathlib.Path(__file__).resolve().parent / "rules/ssh_five_failures.yml"
    folder = pathlib.Path(tempfile.mkdtemp())
    plain = folder / "sshd.log"
    with open(plain, "wb") as out:
        subprocess.run(["zcat", packed], stdout=out, check=True)
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda f=open(plain, "rb"): f.read(1 << 20), b""))
    pin = ["taskset", "-c", "0"]
    replay = [options.binary, "replay", "--rules", str(rules), "--fire", "consume",
              "--workers", "1", "--shards", "1"]
    try:
        show("zcat | wc -l", lines, [timed(f"taskset -c 0 sh -c 'zcat {packed} | wc -l'") for _ in range(runs)])
        show("wc -l", lines, [timed(pin + ["wc", "-l", str(plain)]) for _ in range(runs)])
        ours = []
        for name, source in (("tocsin replay", plain), ("tocsin replay, gzip", packed)):
            results = [timed(pin + replay + [str(source)]) for _ in range(runs)]
            bad = [r for r in results if r[2].returncode]
            if bad:
                sys.exit(bad[0][2].stderr.decode())
            ours.append(show(name, lines, results, detections=results[0][2].stdout.count(b"\n")))
        if shutil.which("sec"):
            (folder / "sec.conf").write_text(SEC_RULE)
            few = folder / "few.log"
            with open(few, "wb") as out:
                subprocess.run(["head", "-n", str(SEC_LINES), plain], stdout=out, check=True)
            results = [timed(pin + ["sec", f"--conf={folder}/sec.conf", f"--input={few}",
                                    "--fromstart", "--notail", "--quiet"]) for _ in range(runs)]
            sec = show("sec, 100,000 lines", SEC_LINES, results)
            print(json.dumps({"ratio": "tocsin replay / sec, lines per CPU second",
                              "value": round(ours[0]["lines_per_cpu_s"] / sec["lines_per_cpu_s"], 1)}))
        else:
            print(json.dumps({"case": "sec", "skipped": "not installed (apt-get install sec)"}))
    finally:
        shutil.rmtree(folder)


main()
