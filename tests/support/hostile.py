#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Senders that mean no good, and one that means well:

  hostile.py idle|slow|claim|garbage|relp|half|http|slowbody|endless|udp PORT [COUNT]
  hostile.py renegotiate PORT          TLS 1.2 without a client certificate, through openssl
  hostile.py steady PORT UDPPORT       numbered messages until it is ended; then says how many

Each prints one line when its harm is done; `idle`, `slow`, `half` and `slowbody` then stay until
they are ended."""
import os
import resource
import signal
import socket
import subprocess
import sys
import time


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def more_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 64), hard))
    return min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 64)


def idle(port, count):
    keep = [connect(port) for _ in range(more_files(count))]
    print(f"idle {len(keep)}", flush=True)
    time.sleep(3600)


def slow(port, count):
    senders = [connect(port) for _ in range(count)]
    message = b"<13>Feb  5 10:00:00 slow sender: a byte at a time\n"
    print(f"slow {count}", flush=True)
    for i in range(3600):
        for s in senders:
            s.send(message[i % len(message) : i % len(message) + 1])
        time.sleep(0.02)


def claim(port, _):
    s = connect(port)
    s.sendall(b"4294967295 <13>1 - - - - - - a frame that claims 4 GB ")
    block = b"x" * 65536
    for _ in range(512):  # 32 MB of it
        s.sendall(block)
    s.close()
    for bytes_ in (
        b"999999999999999999999999 <13>no number at all\n",
        b"\0" * 100000 + b"\n" + b"<13>NUL \0 inside\n",
        b"\0\n" * 50000,
        b"\n" * 100000,
        b"x" * 10000000,  # no end at all
        b"1 a" * 100000,
        b"0 " * 100000,
        b"-1 <13>x\n" * 1000,
    ):
        s = connect(port)
        s.sendall(bytes_)
        s.close()
    print("claim done", flush=True)


def harass(port, openings):
    """Sends each, reads until the other side closes or 2 s have passed."""
    for bytes_ in openings:
        s = connect(port)
        try:
            s.sendall(bytes_)
            s.settimeout(2)
            while s.recv(4096):
                pass
        except OSError:
            pass
        s.close()


def garbage(port, count):
    harass(port, [os.urandom(4096) for _ in range(count)])
    print("garbage done", flush=True)


def relp(port, _):
    opening = b"1 open 85 relp_version=0\nrelp_software=x,1.0\ncommands=syslog\n"
    harass(
        port,
        [
            b"1 open 999999999 ",
            b"999999999999 open 0\n",
            b"1 " + b"o" * 100000 + b" 0\n",
            b"1 syslog 5 early\n",
            opening + b"x" * 200,
            b"\0" * 4096,
            b"1 open 0\n" * 1000,
            b"2 close 0\n" * 1000,
            os.urandom(65536),
        ],
    )
    print("relp done", flush=True)


def half(port, count):
    """The head of a ClientHello whose rest never comes."""
    keep = []
    for _ in range(more_files(count)):
        s = connect(port)
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        keep.append(s)
    print(f"half {len(keep)}", flush=True)
    time.sleep(3600)


def renegotiate(port, _):
    """R asks for another handshake: the server must refuse, and does not hang."""
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2"] + sys.argv[3:],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = b""
    try:
        # a letter is a command only where it is the first that s_client reads at a time
        for line in (b"<13>before the wish\n", b"R\n", b"R\n", b"Q\n"):
            client.stdin.write(line)
            client.stdin.flush()
            time.sleep(0.3)
        said = client.communicate(timeout=30)[0]
    except BrokenPipeError:
        said = client.stdout.read()
        client.wait(timeout=30)
    outcome = b"no renegotiation" in said and "refused" or b"RENEGOTIATING" in said and "asked"
    print("renegotiate", outcome or "not let in", flush=True)


def udp(port, _):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for bytes_ in (b"", b"\0" * 65000, os.urandom(60000), b"<" * 65000, b"\n" * 100, b"<13>"):
        for _ in range(20):
            s.sendto(bytes_, ("127.0.0.1", port))
    print("udp done", flush=True)


POST = b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SHAPES = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 44\r\n\r\n{}" + SMUGGLED,
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 44\r\n\r\n{}" + SMUGGLED,
    "length and chunked": POST
    + b"Content-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "chunked and length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "bare LF": b"POST /api/v1/events HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n{}",
    "a bare LF within": POST + b"X: y\nContent-Length: 2\r\n\r\n{}",
    "two hosts": POST + b"Host: y\r\nContent-Length: 2\r\n\r\n{}",
    "no host": b"POST /api/v1/events HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "10 GB": POST + b"Content-Length: 10737418240\r\n\r\n" + b"x" * 65536,
    "more than 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length with a plus": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length in hex": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "an odd encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two encodings": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "an encoding twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 2\r\n\r\n{}" + SMUGGLED,
    "a folded header": POST + b"X: y\r\n Content-Length: 2\r\n\r\n{}",
    "chunks of no number": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk that is negative": POST + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a chunk of 2^64": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}",
    "a chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n" + SMUGGLED,
    "chunks with LF alone": POST + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + SMUGGLED,
    "a NUL in a header": POST + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a head of 1 MB": POST + b"X: " + b"y" * 1000000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "a thousand headers": POST + b"X: y\r\n" * 10000 + b"Content-Length: 2\r\n\r\n{}",
    "no HTTP": os.urandom(4096),
}
# What is no harm in itself, as long as it is read in one way: an answer for each request.
HARMLESS = {"a thousand headers", "a NUL in a header", "chunks with LF alone"}


def http(port, _):
    """Requests that two servers could read differently, and bodies without end."""
    failed = 0
    for name, request in SHAPES.items():
        s = connect(port)
        answer = b""
        try:
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
            s.settimeout(15)
            while True:
                more = s.recv(65536)
                if not more:
                    break
                answer += more
        except OSError:
            pass
        s.close()
        answers = answer.count(b"HTTP/1.1 ")
        status = answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"
        refused = status == "closed" or status[0] in "45"
        is_bad = answers > 1 or not (refused or name in HARMLESS)
        failed += is_bad
        print(f"http {name}: {status}{' TAKEN' if is_bad else ''}", flush=True)
    print("http done" if not failed else "http failed", flush=True)


def slowbody(port, count):
    """Bodies, and heads, of which a byte comes now and then."""
    keep = []
    for i in range(count):
        s = connect(port)
        s.sendall(POST + (b"Content-Length: 4000\r\n\r\n" if i % 2 else b"X-Slow: "))
        keep.append(s)
    print(f"slowbody {count}", flush=True)
    gone = set()
    for _ in range(3600):
        for i, s in enumerate(keep):
            try:
                s.send(b"x")
            except OSError:
                gone.add(i)
        if len(gone) == count:
            print("slowbody all cut off", flush=True)
            gone.add(-1)
        time.sleep(0.5)


def endless(port, _):
    """A chunked body that does not end: closed after a while, long before 10 GB."""
    s = connect(port)
    sent = 0
    try:
        s.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        block = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        while sent < 10 << 30:
            s.sendall(block)
            sent += 0x100000
    except OSError:
        pass
    s.close()
    print(f"endless {'done' if sent < 1 << 30 else 'failed'} after {sent >> 20} MB", flush=True)


def steady(port, udp_port):
    """A well-meaning sender: on SIGTERM it says how many of each it sent."""
    tcp, datagrams = connect(port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent = 0
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    print("steady begins", flush=True)
    while not over:
        sent += 1
        line = f"<13>Feb  5 10:00:00 good steady: through steady-%s n={sent} end"
        tcp.sendall((line % "tcp" + "\n").encode())
        datagrams.sendto((line % "udp").encode(), ("127.0.0.1", udp_port))
        time.sleep(0.005)
    tcp.close()
    print(f"steady sent {sent}", flush=True)


if __name__ == "__main__":
    harm = {
        name: globals()[name]
        for name in "idle slow claim garbage relp half renegotiate udp http slowbody endless steady".split()
    }
    number = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3].isdigit() else 1
    harm[sys.argv[1]](int(sys.argv[2]), number)
