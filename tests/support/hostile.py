#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Senders that mean no good: hostile.py idle|slow|claim|garbage|http PORT [COUNT].

Each prints one line when its harm is done; `idle` and `slow` then stay until they are ended."""
import os
import resource
import socket
import sys
import time


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    return s


def idle(port, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 64), hard))
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 64)
    keep = []
    for _ in range(count):
        keep.append(connect(port))
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
    s = connect(port)
    s.sendall(b"999999999999999999999999 <13>no number at all\n")
    s.sendall(b"\0" * 100000 + b"\n" + b"<13>NUL \0 inside\n")
    s.close()
    print("claim done", flush=True)


def garbage(port, count):
    for _ in range(count):
        s = connect(port)
        try:
            s.sendall(os.urandom(4096))
            s.settimeout(5)
            while s.recv(4096):
                pass
        except OSError:
            pass
        s.close()
    print("garbage done", flush=True)


def http(port, _):
    """Requests that two servers could read differently, and bodies without end."""
    shapes = {
        "two lengths": b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        b"Content-Length: 44\r\n\r\n{}",
        "length and chunked": b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bare LF": b"POST /api/v1/events HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n{}",
        "two hosts": b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nHost: y\r\nContent-Length: 2\r\n"
        b"\r\n{}",
        "10 GB": b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10737418240\r\n\r\n"
        + b"x" * 65536,
    }
    failed = 0
    for name, request in shapes.items():
        s = connect(port)
        answer = b""
        try:
            s.sendall(request)
            s.settimeout(15)
            answer = s.recv(4096)
        except OSError:
            pass
        s.close()
        status = answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"
        refused = status == "closed" or status.startswith("4")
        failed += not refused
        print(f"http {name}: {status}", flush=True)
    print("http done" if not failed else "http failed", flush=True)


if __name__ == "__main__":
    harm = {"idle": idle, "slow": slow, "claim": claim, "garbage": garbage, "http": http}
    harm[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
