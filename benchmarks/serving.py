"""What our own servers share: HTTP as our clients write it and no further, and the answers of the newer API."""

from __future__ import annotations

import asyncio
import re
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

    answered = 0  # on all connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one, and does not say so
        self.loop = asyncio.get_running_loop()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        self.asked(body[body.index(b"{") + 1 :] if body else b'"to":""}')

    def asked(self, fields: bytes) -> None:
        """A request is there, with these fields of a message; it is to be answered."""
        raise NotImplementedError

    def accept(self, fields: bytes) -> None:
        """Answer that it is accepted."""
        if self.transport.is_closing():  # who asked is gone
            return
        Connection.answered += 1
        body = _ACCEPTED % Connection.answered + fields
        self.transport.write(_HEAD % len(body) + body)


def run(connection: type[Connection]) -> None:
    """Print the address, and serve until killed."""
    uvloop.run(_serve(connection))


async def _serve(connection: type[Connection]) -> None:
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, backlog=10_000)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()
