"""A server with limits, on a real socket: ``python benchmarks/limited_server.py KIND`` prints its address and serves.

KIND is one of ``pacing.KINDS``: the same server as in the simulation says when a request is answered, and how; the
clock begins with the first request. Answers are those of the newer API, which shows that it knows clientDedup.
"""

from __future__ import annotations

import sys

import serving
from pacing import KINDS
from pacing_servers import Reply, Server

_REFUSED = b"HTTP/1.1 %d Refused\r\n%sContent-Length: 4\r\n\r\nbusy"


class Connection(serving.Connection):
    """Answers when the simulation's server does."""

    server: Server
    began: float | None = None

    def asked(self, fields: bytes) -> None:
        now = self.loop.time()
        if Connection.began is None:
            Connection.began = now
        reply = self.server.post(now - Connection.began)
        self.loop.call_at(Connection.began + reply.at, self._answer, reply, fields)

    def _answer(self, reply: Reply, fields: bytes) -> None:
        if reply.status == 200:
            self.accept(fields)
        else:
            asks = b"Retry-After: %d\r\n" % reply.retry_after_s if reply.retry_after_s else b""
            self.transport.write(_REFUSED % (reply.status, asks))


if __name__ == "__main__":
    Connection.server = next(kind for kind in KINDS if kind.name == sys.argv[1]).make(1)
    serving.run(Connection)
