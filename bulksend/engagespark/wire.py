"""POSTs to one address over connections that are kept, and the answers as they come.

aiohttp opens the connections (names, addresses, TLS and its certificates) and parses what comes back. Its client
session is left out: a session builds a request anew for every message, which takes four fifths of the time, whereas all
messages of a run differ in their bodies alone. A connection carries one request at a time, and is given up at the least
doubt whose answer would come next on it: nothing is asked on one on which something waits to be read, nor on one whose
last answer could pass for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.http import HttpProcessingError

from bulksend.engagespark.identity import are_alike
from bulksend.engagespark.line import Line, Received
from bulksend.engagespark.proxy import Proxy
from bulksend.model import Message

if TYPE_CHECKING:
    from yarl import URL

# What no server sends unasked so soon after an answer; looking into a socket costs as much as judging what comes.
_RESTED_S = 0.005


class NotConnectedError(Exception):
    """No connection, or none in time: certainly nothing was sent."""


class ProxyRefusedError(NotConnectedError):
    """The proxy does not connect: certainly nothing was sent."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class Wire:
    """Carries POSTs to one address; an async context manager.

    Args:
        url: the address.
        headers: fields of every request, beside Host and Content-Length.
        connect_s: how long connecting may take.
        timeout_s: how long one POST may take in all.
        idle_s: a connection that was idle for longer is not used again.
        longest: bytes of an answer's body that are read at most.
        proxy: on the way there, or None.
    """

    def __init__(
        self,
        url: URL,
        headers: Mapping[str, str],
        *,
        connect_s: float,
        timeout_s: float,
        idle_s: float,
        longest: int,
        proxy: Proxy | None = None,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._longest = longest
        self._proxy = proxy
        self._connect_limits = aiohttp.ClientTimeout(connect=connect_s, sock_connect=connect_s)
        fields = {"Host": url.host_port_subcomponent or "", "Accept": "*/*", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._head = f"POST {url.raw_path_qs} HTTP/1.1\r\n{lines}Content-Length: ".encode("latin-1")
        self._idle: list[Line] = []
        self._connector: aiohttp.TCPConnector
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._connector = aiohttp.TCPConnector(limit=0)  # there are as many as callers at once
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            self._idle.pop().close()
        await self._connector.close()

    async def post(self, body: bytes, message: Message | None = None) -> Received:
        """POST a body once, whatever happens.

        Args:
            body: the body.
            message: what it asks for, by which its answer is told from the one before.

        Raises:
            aiohttp.ClientConnectorError, aiohttp.ClientSSLError, NotConnectedError: there is no connection: certainly
                nothing was sent.
            TimeoutError: no answer began in time.
            aiohttp.ClientError, HttpProcessingError, OSError: the connection broke, or what came is no HTTP.
        """
        now_s = self._loop.time()
        until = now_s + self._timeout_s
        line = self._kept(message, now_s) or await self._connected()
        line.timer = self._loop.call_at(until, line.give_up, until)  # costs a third of what asyncio.timeout does
        try:
            received = await line.post(self._head + b"%d\r\n\r\n" % len(body) + body, message, self._longest, until)
        except Exception as error:
            line.close()
            if line.is_given_up:
                raise TimeoutError from error
            raise
        except BaseException:
            line.close()
            raise
        finally:
            line.timer.cancel()
        if received.body is not None:
            if line.is_fit:
                line.idle_since = self._loop.time()
                self._idle.append(line)
                return received
            received = received._replace(has_more=line.has_more)
        line.close()
        return received

    def drop(self) -> None:
        """Give up the connection used last: whose answer comes next on it, nobody knows."""
        if self._idle:
            self._idle.pop().close()

    def _kept(self, message: Message | None, now_s: float) -> Line | None:
        """The connection used last, if it still is one; those that are not are closed."""
        while self._idle:
            line = self._idle.pop()
            rested_s = now_s - line.idle_since
            is_sound = line.is_fit and rested_s < self._idle_s and (rested_s < _RESTED_S or line.is_silent)
            if is_sound and not _could_be_confused(line.asked, message):
                return line
            line.close()
        return None

    async def _connected(self) -> Line:
        proxy = self._proxy
        request = ClientRequest(
            "POST",
            self._url,
            loop=self._loop,
            proxy=None if proxy is None else proxy.url,
            proxy_headers=None if proxy is None else proxy.headers.copy(),
        )
        try:
            connection = await self._connector.connect(request, [], self._connect_limits)
        except TimeoutError as error:
            raise NotConnectedError("no connection in time") from error
        except aiohttp.ClientHttpProxyError as error:
            raise ProxyRefusedError(error.status, error.message) from error
        except (aiohttp.ClientConnectorError, aiohttp.ClientSSLError):
            raise
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:  # from the proxy
            raise NotConnectedError(f"the proxy did not connect: {error}") from error
        return Line(connection)


def _could_be_confused(asked: Message | None, message: Message | None) -> bool:
    return asked is not None and message is not None and are_alike(asked, message)
