"""One connection: a request is written, and its answer handed to whoever waits for it once it is whole.

It takes the place of aiohttp's own protocol, which makes a queue of answers, a stream of each body and a mapping of
each head: for one small answer at a time that costs more than all the rest on the way. llhttp finds where an answer
ends, here as there.
"""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade

from bulksend.engagespark.head import SWITCHING, Head, parser_for
from bulksend.model import Message

if TYPE_CHECKING:
    from aiohttp.connector import Connection

HEAD_MAX = 1 << 16
"""How long an answer's head may be, in bytes."""


class NoHttpError(Exception):
    """What came is another protocol, or broken HTTP."""


class Received(NamedTuple):
    """The beginning of an answer, and its body if that came.

    Attributes:
        status: the HTTP status.
        body: None if it did not come whole, or is too long.
        came: the bytes of its head, and what came with them.
        trouble: why the body did not come; None if it did, or is too long.
        before: what was asked before on the same connection; None if nothing was.
        has_more: whether more came behind it, which nobody asked for.
    """

    status: int
    body: bytes | None
    came: bytes
    trouble: Exception | None = None
    before: Message | None = None
    has_more: bool = False

    @property
    def head(self) -> Head:
        """Its head, read anew."""
        return Head(self.came)


class Line(asyncio.Protocol):
    """One connection, from the moment on from which it may be asked.

    Args:
        connection: a fresh one; nothing came on it yet.
        transport: its transport.
        longest: bytes of a body that are read at most.

    Attributes:
        asked: what was asked for last on it.
        until: when the time of what is under way is over, by the loop's clock.
        idle_since: when its last answer was through, by the same.
        on_body: called by the parser with each piece of a body.
    """

    __slots__ = (
        "_before", "_body", "_came", "_connection", "_handler", "_has_more", "_is_sound", "_longest", "_loop",
        "_parser", "_pieces", "_poll", "_status", "_transport", "_waiting", "asked", "idle_since", "on_body", "until",
    )  # fmt: skip

    def __init__(self, connection: Connection, transport: asyncio.Transport, longest: int) -> None:
        self._connection = connection
        self._handler = connection.protocol
        self._transport = transport
        self._longest = longest
        self._loop = asyncio.get_running_loop()
        self._poll = _poll_of(transport)
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._parser = parser_for(self)
        self._waiting: asyncio.Future[Received] | None = None
        self._is_sound = True  # as long as the next answer on it can only be the next question's
        self._came = b""
        self._status = 0
        self._body: bytes | None = None
        self._has_more = False
        self._before: Message | None = None
        self.asked: Message | None = None
        self.until = self.idle_since = 0.0
        transport.set_protocol(self)

    @property
    def is_fit(self) -> bool:
        """Whether it is open, all that was asked has left, and nothing has come that was not asked for."""
        transport = self._transport
        return self._is_sound and not transport.is_closing() and not transport.get_write_buffer_size()

    @property
    def is_silent(self) -> bool:
        """Whether nothing waits in its socket that the event loop has not seen yet."""
        return self._poll is None or not self._poll.poll(0)

    def ask(self, request: bytes, message: Message | None, until: float) -> asyncio.Future[Received]:
        """Write a request; what comes back, once it is whole, or its time is over.

        Args:
            request: its bytes.
            message: what it asks for.
            until: when its time is over.

        Raises, when awaited:
            TimeoutError: no answer began in time.
            NoHttpError: what came is none.
            OSError: the connection broke before an answer began.
        """
        self._before, self.asked, self.until = self.asked, message, until
        self._came, self._body, self._has_more = b"", None, False
        self._waiting = waiting = self._loop.create_future()
        self._transport.write(request)
        return waiting

    def give_up(self) -> None:
        """Its time is over: whoever waits for its answer hears of it."""
        self._break_off(TimeoutError())
        self._transport.abort()

    def close(self) -> None:
        """Close it."""
        self._is_sound = False
        self._waiting = None
        if self._transport.get_write_buffer_size():
            self._transport.abort()  # nobody waits for what has not left yet
        self._connection.close()

    def data_received(self, data: bytes) -> None:
        """Take in what came; called by the event loop."""
        if self._waiting is None:
            self._is_sound = False  # nobody asked
            return
        self._came = self._came + data if self._came else data
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._is_sound = False
        except HttpParserError as error:
            self._break_off(NoHttpError(str(error)))
            return
        if len(self._came) > HEAD_MAX and self._is_beyond_bounds():
            return
        if self._body is not None:
            self._answer(self._body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end of the connection; called by the event loop."""
        self._is_sound = False
        if self._handler is not None:
            self._handler.connection_lost(exc)
        self._break_off(exc if isinstance(exc, OSError) else ConnectionError("the connection ended"))

    def on_message_begin(self) -> None:
        """Take note of an answer's beginning; called by the parser."""
        if self._body is not None:
            self._has_more = True
            self._is_sound = False

    def on_message_complete(self) -> None:
        """Take note of an answer's end; called by the parser."""
        status = self._parser.get_status_code()
        if self._body is None and (status >= 200 or status == SWITCHING):  # otherwise a hint, or nobody asked for it
            self._status = status
            self._body = b"".join(self._pieces)
            if not self._parser.should_keep_alive():
                self._is_sound = False
        self._pieces.clear()

    def _is_beyond_bounds(self) -> bool:
        """Whether what came is too long for an answer; whoever waits hears of it."""
        head = Head(self._came)
        if not head.is_whole or head.size > HEAD_MAX:
            self._break_off(NoHttpError("its head has no end"))
        elif self._body is None and len(self._came) > HEAD_MAX + self._longest:
            self._settle(Received(head.status, None, self._came, None, self._before))
        return self._waiting is None

    def _answer(self, body: bytes) -> None:
        self._settle(
            Received(
                self._status,
                body if len(body) <= self._longest else None,
                self._came,
                None,
                self._before,
                self._has_more,
            )
        )

    def _break_off(self, why: Exception) -> None:
        """No more of an answer comes; one that only the end of its connection ends is whole with that."""
        self._is_sound = False
        waiting = self._waiting
        if waiting is None:
            return
        head = Head(self._came)
        if not head.is_whole or head.size > HEAD_MAX or self._body is not None:
            self._waiting = None
            if not waiting.done():
                waiting.set_exception(why)
        elif head.ends_with_connection and not isinstance(why, NoHttpError):
            self._status = head.status
            self._answer(b"".join(self._pieces))
        else:
            self._settle(Received(head.status, None, self._came, why, self._before))

    def _settle(self, received: Received) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(received)


def _poll_of(transport: asyncio.Transport) -> select.poll | None:
    """Looks at a connection's socket; None where there is no such call."""
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll
