"""A server with limits, on a real socket: ``python benchmarks/limited_server.py KIND`` prints its address and serves.

KIND is one of ``pacing.KINDS``: the same server as in the simulation says when a request is answered, and how; the
clock begins with the first request. Answers are those of the newer API, which shows that it knows clientDedup.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop
from pacing import KINDS
from pacing_servers import Reply, Server

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ACCEPTED = (
    b'{"error":"","messageId":"SMS%d","estimateParts":1,"estimateMicro":20000,"estimate":"0.02",'
    b'"deliveryDeadline":"2019-07-24T13:49:16.38785625Z","contactId":0,'
)
_WELL = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_REFUSED = b"HTTP/1.1 %d Refused\r\n%sContent-Length: 4\r\n\r\nbusy"


class Connection(asyncio.Protocol):
    """One client's connection: a request, its answer, the next request."""

    server: Server
    began: float | None = None
    answered = 0

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
        now = self._loop.time()
        if Connection.began is None:
            Connection.began = now
        reply = self.server.post(now - Connection.began)
        self._loop.call_at(Connection.began + reply.at, self._answer, reply, fields)

    def _answer(self, reply: Reply, fields: bytes) -> None:
        if reply.status == 200:
            Connection.answered += 1
            body = _ACCEPTED % self.answered + fields
            self._transport.write(_WELL % len(body) + body)
        else:
            asks = b"Retry-After: %d\r\n" % reply.retry_after_s if reply.retry_after_s else b""
            self._transport.write(_REFUSED % (reply.status, asks))


async def serve() -> None:
    Connection.server = next(kind for kind in KINDS if kind.name == sys.argv[1]).make(1)
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=10_000)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
