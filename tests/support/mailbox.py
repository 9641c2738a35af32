#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server (aiosmtpd) for tests: prints its port, appends every mail to the file named."""
import sys, time
from aiosmtpd.controller import Controller
import socket


class Keep:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[1], "ab") as out:
            out.write(envelope.content + b"\n\n")
        return "250 kept"


probe = socket.socket()
probe.bind(("127.0.0.1", 0))
port = probe.getsockname()[1]
probe.close()
controller = Controller(Keep(), hostname="127.0.0.1", port=port)
controller.start()
print(port, flush=True)
while True:
    time.sleep(3600)
