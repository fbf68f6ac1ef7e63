"""A pooler before a PostgreSQL server that gives every transaction the connection that is free, as pgbouncer can."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_ENCRYPTION = {80877103, 80877104}  # what a client asks before it says who it is
_ENDS = {b"Q", b"S"}  # a message that the server answers until it is ready


@contextmanager
def pooled(address: str) -> Iterator[str]:
    """The address of a database as it is reached through such a pooler."""
    parts = urlsplit(address)
    pooler = _Pooler((parts.hostname or "", parts.port or 0))
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=pooler.serve, args=[server], daemon=True).start()
        port = server.getsockname()[1]
        yield urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
    pooler.end()


class _Pooler:
    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._idle: list[socket.socket] = []  # the last that was used is taken first
        self._all: list[socket.socket] = []

    def serve(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=self._attend, args=[client], daemon=True).start()

    def end(self) -> None:
        for each in self._all:
            each.close()

    def _attend(self, client: socket.socket) -> None:
        with client, suppress(OSError, struct.error):
            startup = _first(client)
            while struct.unpack("!I", startup[4:8])[0] in _ENCRYPTION:
                client.sendall(b"N")
                startup = _first(client)
            made, said = self._connected(startup)
            self._idle.append(made)  # before the client is answered, for it asks on at once
            client.sendall(said)
            held: socket.socket | None = None
            while True:
                kind, message = _message(client)
                if kind == b"X":
                    return
                held = held or (self._idle.pop() if self._idle else self._connected(startup)[0])
                held.sendall(message)
                if kind in _ENDS:
                    said, state = _answer(held)
                    if state == b"I":
                        self._idle.append(held)
                        held = None
                    client.sendall(said)

    def _connected(self, startup: bytes) -> tuple[socket.socket, bytes]:
        made = socket.create_connection(self._upstream)
        self._all.append(made)
        made.sendall(startup)
        return made, _answer(made)[0]


def _answer(upstream: socket.socket) -> tuple[bytes, bytes]:
    """What the server says until it is ready, and its state then."""
    said = b""
    while True:
        kind, message = _message(upstream)
        said += message
        if kind == b"Z":
            return said, message[5:6]


def _first(client: socket.socket) -> bytes:
    head = _read(client, 4)
    return head + _read(client, struct.unpack("!I", head)[0] - 4)


def _message(from_: socket.socket) -> tuple[bytes, bytes]:
    head = _read(from_, 5)
    return head[:1], head + _read(from_, struct.unpack("!I", head[1:])[0] - 4)


def _read(from_: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = from_.recv(size - len(found))
        if not more:
            raise OSError("closed")
        found += more
    return found
