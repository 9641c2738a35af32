#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real HTTP receiver for tests: prints its port, then appends every request as a JSON line to
the file named first. With a second argument (a secret) it checks Standard Webhooks signatures and
answers 401 where one is wrong."""
import base64, hashlib, hmac, http.server, json, sys


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        good = True
        if len(sys.argv) > 2:
            signed = b".".join([self.headers.get("webhook-id", "").encode(),
                                self.headers.get("webhook-timestamp", "").encode(), body])
            key = sys.argv[2].encode()
            want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            good = want in self.headers.get("webhook-signature", "").split(" ")
        with open(sys.argv[1], "a") as out:
            out.write(json.dumps({"path": self.path, "headers": dict(self.headers), "signed": good,
                                  "body": body.decode("utf-8", "replace")}) + "\n")
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
