"""One connection: a request is written, and its answer read as it comes."""

from __future__ import annotations

import asyncio
import inspect
import math
import select
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError

from bulksend.model import Message

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from multidict import CIMultiDictProxy

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


class Received(NamedTuple):
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


class Line:
    """One connection.

    Attributes:
        asked: what was asked for last on it.
        idle_since: when its last answer was through, by the loop's clock.
        timer: gives it up when the time of what is under way is over.
        is_given_up: whether its time is over.
    """

    __slots__ = ("_connection", "_is_last", "_poll", "_protocol", "asked", "idle_since", "is_given_up", "timer")

    def __init__(self, connection: Connection) -> None:
        protocol = connection.protocol
        assert protocol is not None  # noqa: S101 -- it has just been connected
        protocol.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=_BUFFER, **PARSED)
        self._connection = connection
        self._protocol = protocol
        self._poll = _poll_of(protocol)
        self._is_last = False  # whether its last answer says that it is
        self.asked: Message | None = None
        self.idle_since = 0.0
        self.is_given_up = False
        self.timer: asyncio.TimerHandle

    @property
    def is_fit(self) -> bool:
        """Whether it is open, and nothing has come that was not asked for."""
        return self._protocol.is_connected() and not self._protocol.should_close

    @property
    def has_more(self) -> bool:
        """Whether more came behind the last answer, which nobody asked for."""
        return self._protocol.is_connected() and self._protocol.should_close and not self._is_last

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
        self._is_last = message.should_close
        return Received(message.code, message.headers, body, None, before)

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
