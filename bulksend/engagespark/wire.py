"""POSTs to one address over connections that are kept, and the answers as they come.

aiohttp opens the connections (names, addresses, TLS and its certificates) and parses what comes back. Its client
session is left out: a session builds a request anew for every message, which takes four fifths of the time, whereas all
messages of a run differ in their bodies alone. A connection carries one request at a time, and is given up at the least
doubt whose answer would come next on it: nothing is asked on one on which something waits to be read, nor on one whose
last answer could pass for the next.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.http import HttpProcessingError

from bulksend.engagespark.identity import are_alike
from bulksend.engagespark.proxy import Proxy
from bulksend.model import Message

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from multidict import CIMultiDictProxy
    from yarl import URL

_BUFFER = 1 << 16  # bytes that a server may send ahead of their being read
_SWITCHING = 101
# A time-out that strikes so late struck while we stood still: what lies in the socket by then came in time.
_LATE_S = 0.1
_READING_S = 0.25

_LIMITS = {"max_line_size": 1 << 16, "max_field_size": 1 << 16, "max_headers": 1_000}
PARSED: dict[str, Any] = {
    name: limit
    for name, limit in _LIMITS.items()
    if name in inspect.signature(ResponseHandler.set_response_params).parameters
}
"""How long an answer's head may be; older versions of aiohttp do not bound its fields' number."""


class NotConnectedError(Exception):
    """No connection, or none in time: certainly nothing was sent."""


class ProxyRefusedError(NotConnectedError):
    """The proxy does not connect: certainly nothing was sent."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Received:
    """The beginning of an answer, and its body if that came.

    Attributes:
        status: the HTTP status.
        headers: its fields.
        body: None if it did not come whole, or is too long.
        trouble: why it did not; None if it did, or is too long.
        before: what was asked before on the same connection; None if nothing was.
        has_more: whether more came behind it, which nobody asked for.
    """

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes | None
    trouble: Exception | None = None
    before: Message | None = None
    has_more: bool = False


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
        self._idle: list[_Line] = []
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
        until = self._loop.time() + self._timeout_s
        line = self._kept(message) or await self._connected()
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
        if line.is_fit and received.body is not None:
            line.idle_since = time.monotonic()
            self._idle.append(line)
        else:
            line.close()
        return received

    def drop(self) -> None:
        """Give up the connection used last: whose answer comes next on it, nobody knows."""
        if self._idle:
            self._idle.pop().close()

    def _kept(self, message: Message | None) -> _Line | None:
        """The connection used last, if it still is one; those that are not are closed."""
        while self._idle:
            line = self._idle.pop()
            is_young = time.monotonic() - line.idle_since < self._idle_s
            if is_young and line.is_fit and line.is_silent and not _could_be_confused(line.asked, message):
                return line
            line.close()
        return None

    async def _connected(self) -> _Line:
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
        return _Line(connection)


def _could_be_confused(asked: Message | None, message: Message | None) -> bool:
    return asked is not None and message is not None and are_alike(asked, message)


class _Line:
    """One connection.

    Attributes:
        asked: what was asked for last on it.
        idle_since: when its last answer was through, by time.monotonic.
        timer: gives it up when the time of what is under way is over.
        is_given_up: whether its time is over.
    """

    __slots__ = ("_connection", "_poll", "_protocol", "asked", "idle_since", "is_given_up", "timer")

    def __init__(self, connection: Connection) -> None:
        protocol = connection.protocol
        assert protocol is not None  # noqa: S101 -- it has just been connected
        protocol.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=_BUFFER, **PARSED)
        self._connection = connection
        self._protocol = protocol
        self._poll = _poll_of(protocol)
        self.asked: Message | None = None
        self.idle_since = 0.0
        self.is_given_up = False
        self.timer: asyncio.TimerHandle

    @property
    def is_fit(self) -> bool:
        """Whether it is open, and nothing has come that was not asked for."""
        return self._protocol.is_connected() and not self._protocol.should_close

    @property
    def is_silent(self) -> bool:
        """Whether nothing waits in its socket that the event loop has not seen yet."""
        return self._poll is None or not self._poll.poll(0)

    async def post(self, request: bytes, asks_for: Message | None, longest: int, until: float) -> Received:
        """Write a request and read its answer, the body until a time of the loop's clock."""
        transport = self._protocol.transport
        assert transport is not None  # noqa: S101 -- it is fit
        before, self.asked = self.asked, asks_for
        transport.write(request)
        message, payload = await self._protocol.read()
        while 100 <= message.code < 200 and message.code != _SWITCHING:
            message, payload = await self._protocol.read()
        try:
            if payload.is_eof():  # as a rule, all has come at once
                body: bytes | None = payload.read_nowait()
            else:
                until = max(until, asyncio.get_running_loop().time() + _READING_S)
                async with asyncio.timeout_at(until):  # a body that is no HTTP wakes nobody who waits for it
                    body = await _bounded(payload, longest)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            trouble = TimeoutError() if self.is_given_up else error
            return Received(message.code, message.headers, None, trouble, before)
        if body is not None and len(body) > longest:
            body = None
        has_more = self._protocol.is_connected() and self._protocol.should_close and not message.should_close
        return Received(message.code, message.headers, body, None, before, has_more)

    def give_up(self, until: float) -> None:
        """Its time is over: whoever waits for its answer hears of it, once all is read that has come."""
        loop = asyncio.get_running_loop()
        if loop.time() - until > _LATE_S:
            self.timer = loop.call_later(_READING_S, self.give_up, math.inf)
            return
        self.is_given_up = True
        self._protocol.set_exception(TimeoutError())
        if self._protocol.transport is not None:
            self._protocol.transport.abort()

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def _poll_of(protocol: ResponseHandler) -> select.poll | None:
    """Looks at a connection's socket; None where there is no such call."""
    transport = protocol.transport
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll


async def _bounded(payload: aiohttp.StreamReader, longest: int) -> bytes | None:
    body = bytearray()
    async for chunk in payload.iter_any():
        body += chunk
        if len(body) > longest:
            return None
    return bytes(body)
