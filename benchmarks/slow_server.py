"""A server that takes its time: ``python benchmarks/slow_server.py MEAN_S JITTER_S`` prints its address and serves.

Each POST is answered after MEAN_S, give or take up to JITTER_S (evenly spread), with what the newer API answers: the
request's own fields, and those of an accepted message. It reads HTTP as our clients write it and no further, so that
thousands of connections cost next to nothing.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from typing import cast

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ACCEPTED = (
    b'{"error":"","messageId":"SMS%d","estimateParts":1,"estimateMicro":20000,"estimate":"0.02",'
    b'"deliveryDeadline":"2019-07-24T13:49:16.38785625Z","contactId":0,'
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client's connection: a request, its answer, the next request."""

    answered = 0
    mean_s = 0.0
    jitter_s = 0.0
    random = random.Random(1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and does not say so
        self._loop = asyncio.get_running_loop()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        fields = body[body.index(b"{") + 1 :] if body else b'"to":""}'
        delay_s = self.random.uniform(self.mean_s - self.jitter_s, self.mean_s + self.jitter_s)
        if delay_s > 0:
            self._loop.call_later(delay_s, self._answer, fields)
        else:
            self._answer(fields)

    def _answer(self, fields: bytes) -> None:
        Connection.answered += 1
        body = _ACCEPTED % self.answered + fields
        self._transport.write(_HEAD % len(body) + body)


async def serve() -> None:
    Connection.mean_s, Connection.jitter_s = float(sys.argv[1]), float(sys.argv[2])
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=10_000)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
