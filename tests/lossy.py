"""A way to a database on which answers get lost, and that may fall silent: nobody hears, and nobody is told.

The last thing that is then known of a COMMIT is that it was sent.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_COMMIT = b"COMMIT\0"  # as it ends a message of PostgreSQL's protocol


class LossyWay:
    """Passes on whatever goes to a database and comes back, until it is told to lose an answer.

    Args:
        address: the database's.

    Attributes:
        address: of the same database, by this way.
        to_lose: so many answers are still to be lost.
        was_silent: whether something was not passed on since it last was told to fall silent.
    """

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        assert url.port is not None
        self._server = (str(url.hostname), url.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = address.replace(f":{url.port}/", f":{self._listening.getsockname()[1]}/")
        self.to_lose = 0
        self._is_silent = self._falls_silent = self.was_silent = False
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answers(self, count: int = 1) -> None:
        """Lose the answers to the next COMMITs, and the connections with them."""
        self.to_lose = count

    def fall_silent(self, *, after_commit: bool = False) -> None:
        """Pass on nothing more, in neither direction, and say so to nobody; at once, or behind the next COMMIT."""
        self.was_silent = False
        self._is_silent, self._falls_silent = not after_commit, after_commit

    def speak(self) -> None:
        """Be as before; the connections on which something was not passed on are gone."""
        self._is_silent = self._falls_silent = False
        for each in self._ends:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(self._server)
                except OSError:  # it is down
                    client.close()
                    continue
                self._ends += [client, server]
                is_lost = threading.Event()
                for sides in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(*sides, is_lost), daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, is_client: bool, is_lost: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._is_silent:
                    self.was_silent = True
                    continue
                if is_client and self._falls_silent and _COMMIT in data:
                    self._is_silent = True
                if is_client and self.to_lose and _COMMIT in data:
                    self.to_lose -= 1
                    is_lost.set()
                elif not is_client and is_lost.is_set():
                    break
                to.sendall(data)
        for each in (source, to):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()
