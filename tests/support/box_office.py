"""A box office: a small shop with an API and Redis keys of its own, for tests of descriptions.

  box_office.py PORT REDIS_PORT REDIS_DATABASE [--atomic]

`POST /login` with a form `name` sets a cookie; `GET /events/rock` has a token in its page;
`POST /events/rock/tickets` with both sells a seat. It keeps `rock:seats`, a number, and
`rock:tickets`, a hash of ticket numbers with their holders. Without `--atomic` it looks at the seats
first and takes one afterwards, so that two buyers can take the same one; with it, a script does
both. It prints one line when it listens.
"""

import itertools
import json
import secrets
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SELL = """
if tonumber(redis.call('GET', KEYS[1])) <= 0 then return 0 end
redis.call('DECR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
"""


class Redis:
    """A connection that speaks as much of Redis's protocol as is needed."""

    def __init__(self, port, database):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")
        self.call("SELECT", database)

    def call(self, *words):
        words = [str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        self.socket.sendall(b"".join(parts))
        line = self.file.readline().rstrip()
        if line[:1] == b"-":
            raise RuntimeError(line.decode())
        if line[:1] == b"$":
            length = int(line[1:])
            return None if length < 0 else self.file.read(length + 2)[:-2]
        return line[1:]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def answer(self, status, body, content_type="application/json", cookie=None):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def holder(self):
        cookie = self.headers.get("Cookie", "")
        return cookie.partition("holder=")[2].partition(";")[0]

    def do_GET(self):
        page = f'<form><input type="hidden" name="token" value="{TOKEN}"></form>'
        self.answer(200, page, "text/html")

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path == "/login":
            self.answer(302, "", cookie=f"holder={form['name'][0]}; Path=/")
        elif not self.holder() or form.get("token") != [TOKEN]:
            self.answer(403, json.dumps({"error": "log in, and send the token of the page"}))
        else:
            ticket = f"T-{next(NUMBERS)}"
            if sell(ticket, self.holder()):
                self.answer(201, json.dumps({"ticket": {"number": ticket}}))
            else:
                self.answer(410, json.dumps({"error": "no seats"}))

    def log_message(self, *_):
        pass


def redis():
    if not hasattr(LOCAL, "redis"):
        LOCAL.redis = Redis(REDIS_PORT, DATABASE)
    return LOCAL.redis


def sell(ticket, holder):
    if ATOMIC:
        return redis().call("EVAL", SELL, 2, "rock:seats", "rock:tickets", ticket, holder) == b"1"
    if int(redis().call("GET", "rock:seats")) <= 0:
        return False
    redis().call("HSET", "rock:tickets", ticket, holder)
    redis().call("DECR", "rock:seats")
    return True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


PORT, REDIS_PORT, DATABASE = (int(word) for word in sys.argv[1:4])
ATOMIC = "--atomic" in sys.argv
TOKEN = secrets.token_hex(8)
NUMBERS = itertools.count(1)
LOCAL = threading.local()
server = Server(("127.0.0.1", PORT), Handler)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
