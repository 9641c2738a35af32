#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fault test: numbered attacks over HTTP and Kafka (acknowledged) and TCP (not) into the real binary,
which is hit at random moments; at the end the incidents must be those that an undisturbed run over
the same journal gives: none lost among the acknowledged, none doubled.

    fault.py BINARY [--rounds N] [--seed S] [--keep] [--faults NAMES] [--http PORT] [--tcp PORT]
        [--kafka HOST:PORT]

Faults: SIGKILL of tocsin, of its redis-server, of both; a redis-server that is stopped (SIGSTOP);
a torn journal tail behind a SIGKILL; a disk that is full for a while (where a small tmpfs can be
mounted). The seed is printed and can be given."""
import argparse, json, os, pathlib, random, shutil, signal, socket, subprocess, sys, tempfile
import threading, time, urllib.error, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
START = 1767225600  # event times run on from here: the clock of this machine decides nothing


def eventually(seconds, check):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    return None


class Program:
    """One `tocsin run` that comes back after every kill."""

    def __init__(self, binary, folder, data, kafka, http, tcp):
        self.binary, self.folder, self.data, self.kafka = binary, folder, data, kafka
        self.http, self.tcp = http or self.free_port(), tcp or self.free_port()
        self.config = folder / "tocsin.yml"
        self.config.write_text(
            f"rules: ['{HERE / 'rules.yml'}']\n"
            f"decoders: ['{HERE / 'mapping.yml'}']\n"
            f"sources:\n  - syslog_tcp: {{listen: '127.0.0.1:{self.tcp}'}}\n" + self.kafka_source() +
            f"http: {{listen: '127.0.0.1:{self.http}'}}\n"
            "journal: {reserve: 1MiB, segment: 1MiB}\n"
            "correlation: {checkpoint: 200ms, workers: 2, shards: 2}\n"
            "time: {ahead: 0s}\n")
        self.log = open(folder / "log", "ab")
        self.process = None

    def kafka_source(self):
        if not self.kafka:
            return ""
        return ("  - kafka: {topics: [faults], format: json, properties: {"
                f"bootstrap.servers: '{self.kafka}', group.id: tocsin, session.timeout.ms: 6000, "
                "heartbeat.interval.ms: 500, auto.offset.reset: earliest}}\n")

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "run", "--config", self.config, "--data", self.data],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        process = self.process
        alarm = threading.Timer(180, process.kill)
        alarm.start()
        for line in process.stdout:
            if line.startswith("ready tocsin"):
                alarm.cancel()
                threading.Thread(target=process.stdout.read, daemon=True).start()
                return
        raise SystemExit(f"tocsin did not get ready: {(self.folder / 'log').read_text()[-3000:]}")

    def redis_pid(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        try:
            for task in tasks.iterdir():
                for pid in (task / "children").read_text().split():
                    if "redis" in pathlib.Path(f"/proc/{pid}/comm").read_text():
                        return int(pid)
        except OSError:
            pass
        return None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=180)


class Sender:
    """Sends attacks; keeps which messages were acknowledged."""

    def __init__(self, program, seed):
        self.program, self.random = program, random.Random(seed)
        self.acknowledged, self.sent_tcp = set(), set()
        self.is_over, self.lock, self.next_attack = False, threading.Lock(), 0

    def attack(self):
        with self.lock:
            self.next_attack += 1
            n = self.next_attack
        when = START + n
        return [{"kind": "fault", "attack": f"attack-{n}", "number": str(i),
                 "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when + i))}
                for i in range(self.random.choice([2, 3, 3, 4]))]

    def over_http(self):
        while not self.is_over:
            for message in self.attack():
                body = json.dumps(message).encode()
                while not self.is_over:
                    request = urllib.request.Request(
                        f"http://127.0.0.1:{self.program.http}/api/v1/events", body,
                        {"Content-Type": "application/json"})
                    try:
                        with urllib.request.urlopen(request, timeout=15) as answer:
                            if 200 <= answer.status < 300:
                                self.acknowledged.add((message["attack"], message["number"]))
                                break
                    except (OSError, urllib.error.URLError):
                        time.sleep(0.05)

    def over_kafka(self):
        """kcat answers 0 when the broker has acknowledged every line; if not, all come again."""
        while not self.is_over:
            messages = [m for _ in range(20) for m in self.attack()]
            lines = "".join(json.dumps(m) + "\n" for m in messages)
            while not self.is_over:
                done = subprocess.run(["kcat", "-P", "-b", self.program.kafka, "-t", "faults",
                                       "-X", "acks=all"], input=lines, text=True, capture_output=True)
                if done.returncode == 0:
                    self.acknowledged.update((m["attack"], m["number"]) for m in messages)
                    break
            time.sleep(0.1)

    def over_tcp(self):
        while not self.is_over:
            try:
                with socket.create_connection(("127.0.0.1", self.program.tcp), 1) as s:
                    while not self.is_over:
                        for message in self.attack():
                            s.sendall(json.dumps(message).encode() + b"\n")
                        time.sleep(0.005)
            except OSError:
                time.sleep(0.05)


def fault_kill(p, r):
    p.kill()
    p.start()


def fault_redis(p, r):
    pid = p.redis_pid()
    if pid:
        os.kill(pid, signal.SIGKILL)


def fault_both(p, r):
    pid = p.redis_pid()
    if pid:
        os.kill(pid, signal.SIGKILL)
    p.kill()
    p.start()


def fault_stopped(p, r):
    pid = p.redis_pid()
    if pid:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(r.uniform(0.2, 1.5))
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def fault_torn(p, r):
    p.kill()
    segments = sorted((p.data / "journal").iterdir(), key=lambda f: f.stat().st_mtime)
    if segments:
        # half a block behind the last whole one: what a power cut leaves of an unsynced append
        with open(segments[-1], "ab") as f:
            f.write(r.randbytes(r.randrange(1, 4096)))
    p.start()


def fault_full(p, r):
    free = shutil.disk_usage(p.data).free
    with open(p.data / "ballast", "wb") as f:
        try:
            f.write(b"\0" * max(free - 256 * 1024, 0))
        except OSError:
            pass
    time.sleep(r.uniform(0.3, 1.0))
    os.unlink(p.data / "ballast")


def lines(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def opened(document):
    return sorted(e["value"] for e in document["entities"])


def check(program, sender):
    """The journal holds what was acknowledged; the record holds what the journal gives."""
    def missing():
        held = set()
        for record in lines(program.binary, "search", "--data", program.data, "--json", "attack"):
            message = json.loads(record["raw"])
            held.add((message["attack"], message["number"]))
        return sender.acknowledged - held

    # what a broker acknowledged is read when the group has come to rest; HTTP's is there at once
    eventually(60 if program.kafka else 0.1, lambda: not missing())
    lost = missing()
    if lost:
        return f"{len(lost)} acknowledged messages are not in the journal: {sorted(lost)[:5]}"
    def wanted():
        """What an undisturbed run makes of the journal as it now is: what came over TCP may still be
        on its way into it when the senders have ended."""
        oracle = lines(program.binary, "replay", "--journal", "--data", program.data,
                       "--rules", HERE / "rules.yml", "--decoders", HERE / "mapping.yml",
                       "--detections", "-")
        return sorted(d["group"]["attack"] for d in oracle if d["rule"]["name"] == "fault-attack")

    url = f"http://127.0.0.1:{program.http}"

    def incidents():
        found, after = [], ""
        while True:
            query = f"{url}/api/v1/incidents?limit=1000&kind=incident" + (f"&after={after}" if after else "")
            with urllib.request.urlopen(query, timeout=30) as answer:
                page = json.load(answer)
            found += page["incidents"]
            after = page.get("next")
            if not after or not page["incidents"]:
                return found

    def settled():
        try:
            have = sorted(opened(i)[0] for i in incidents())
        except OSError:  # its Redis is on the way back
            return None
        return have == wanted()

    if not eventually(180, settled):
        want = wanted()
        try:
            have = sorted(opened(i)[0] for i in incidents())
        except OSError as e:
            said = e.read().decode(errors="replace") if hasattr(e, "read") else ""
            return f"the program does not give its incidents: {e} {said}"
        return (f"incidents differ: {len(want)} wanted, {len(have)} there; "
                f"lost {sorted(set(want) - set(have))[:5]}, "
                f"doubled {sorted({h for h in have if have.count(h) > 1})[:5]}, "
                f"extra {sorted(set(have) - set(want))[:5]}")
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--faults", default="", help="these alone, by name: kill,full")
    parser.add_argument("--http", type=int, default=0, help="a port kept for it; else any free one")
    parser.add_argument("--tcp", type=int, default=0, help="the same")
    parser.add_argument("--kafka", default="", help="a broker to send through, too")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    r = random.Random(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-fault-"))
    data = folder / "data"
    data.mkdir()
    faults = [fault_kill, fault_redis, fault_both, fault_stopped, fault_torn]
    is_mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=640m,mode=700", "tmpfs", data], capture_output=True).returncode == 0
    if is_mounted:
        faults.append(fault_full)
    else:
        print("no tmpfs can be mounted here: the full disk is left out", flush=True)
    if options.faults:
        faults = [f for f in faults if f.__name__[6:] in options.faults.split(",")]
    if not faults:
        raise SystemExit(f"--faults {options.faults}: none of these can be tried here")
    program = Program(options.binary, folder, data, options.kafka, options.http, options.tcp)
    failure = None
    try:
        program.start()
        sender = Sender(program, seed)
        threads = [threading.Thread(target=sender.over_http) for _ in range(3)]
        threads.append(threading.Thread(target=sender.over_tcp))
        if options.kafka:
            threads.append(threading.Thread(target=sender.over_kafka))
        for t in threads:
            t.start()
        for n in range(options.rounds):
            time.sleep(r.uniform(0.1, 0.8))
            fault = r.choice(faults)
            print(f"round {n + 1}: {fault.__name__[6:]}", flush=True)
            fault(program, r)
        time.sleep(1)
        sender.is_over = True
        for t in threads:
            t.join()
        failure = check(program, sender)
        print(f"{sender.next_attack} attacks, {len(sender.acknowledged)} messages acknowledged",
              flush=True)
        status = program.stop()
        if not failure and status != 0:
            failure = f"the stop ended with {status}"
    finally:
        if program.process and program.process.poll() is None:
            program.kill()
        if failure:
            print((folder / "log").read_text()[-4000:])
        if options.keep:
            print(f"kept: {folder}")
        else:
            if is_mounted:
                eventually(5, lambda: subprocess.run(["umount", data], capture_output=True).returncode == 0)
            shutil.rmtree(folder, ignore_errors=True)
    if failure:
        print(f"FAIL: {failure} (seed {seed})")
        sys.exit(1)
    print("ok: the incidents are those of an undisturbed run")


main()
