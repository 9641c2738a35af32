#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server on a free loopback port for tests: python3-aiosmtpd.

mail_server.py FOLDER [option...]
    starttls       offers and requires STARTTLS with FOLDER/cert.pem and FOLDER/key.pem
    auth           requires the login duty / s3cret
    refuse=CODE    answers CODE to every message
    refuse_to=ADDR refuses that recipient with 550
    greylist=ADDR  answers 450 for that recipient, the first time
    hang           takes a message and never answers it
Prints its port. Writes each message to FOLDER/1.eml, 2.eml, ... with the envelope in N.to, and
ends when its standard input does.
"""
import asyncio
import os
import ssl
import sys

try:
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
except ImportError:
    sys.exit(77)

folder, options = sys.argv[1], sys.argv[2:]
value = dict(o.split("=", 1) for o in options if "=" in o)


class Handler:
    def __init__(self):
        self.count = 0
        self.greylist = value.get("greylist")

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address == value.get("refuse_to"):
            return "550 5.1.1 nobody of that name"
        if address == self.greylist:
            self.greylist = None
            return "450 4.2.0 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "hang" in options:
            await asyncio.Event().wait()
        if "refuse" in value:
            return value["refuse"] + " not now"
        self.count += 1
        with open(f"{folder}/{self.count}.to", "w") as f:
            f.write(" ".join([envelope.mail_from, *envelope.rcpt_tos]))
        with open(f"{folder}/{self.count}.eml", "wb") as f:
            f.write(envelope.original_content)
        return "250 OK"


def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"duty" and data.password == b"s3cret"
    return AuthResult(success=good, handled=good)


async def main():
    settings = {"hostname": "test", "enable_SMTPUTF8": True}
    if "starttls" in options:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        settings.update(tls_context=context, require_starttls=True)
    if "auth" in options:
        settings.update(authenticator=check, auth_required=True, auth_require_tls=False)
    handler = Handler()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop, **settings), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
