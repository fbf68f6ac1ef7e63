"""POSTs to one address over connections that are kept, and the answers as they come.

aiohttp opens the connections (names, addresses, proxies, TLS and its certificates). Its client session is left out: a
session builds a request anew for every message, which takes four fifths of the time, whereas all messages of a run
differ in their bodies alone. A connection carries one request at a time, and is given up at the least
doubt whose answer would come next on it: nothing is asked on one on which something waits to be read, nor on one whose
last answer could pass for the next.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from functools import partial
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
# A time-out that strikes so late struck while we stood still: what lies in the socket by then came in time.
_LATE_S = 0.1
_READING_S = 0.25


class NotConnectedError(Exception):
    """No connection, or none in time: certainly nothing was sent."""


class ProxyRefusedError(NotConnectedError):
    """The proxy does not connect: certainly nothing was sent."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class WithheldError(Exception):
    """What was to be asked may not leave: certainly nothing was sent."""


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
        self._under_way: set[Line] = set()
        self._timer: asyncio.TimerHandle | None = None  # one for all that is under way: a third of the cost of many
        self._rings_at = math.inf
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
        if self._timer is not None:
            self._timer.cancel()
        await self._connector.close()

    async def post(
        self, body: bytes, message: Message | None = None, leaves: Callable[[], bool] | None = None
    ) -> Received:  # fmt: skip
        """POST a body once, whatever happens.

        Args:
            body: the body.
            message: what it asks for, by which its answer is told from the one before.
            leaves: whether it may leave, asked once, right before it is written; None if it may in any case.

        Raises:
            WithheldError: it may not.
            aiohttp.ClientConnectorError, aiohttp.ClientSSLError, NotConnectedError: there is no connection: certainly
                nothing was sent.
            TimeoutError: no answer began in time.
            NoHttpError: what came is none.
            OSError: the connection broke before an answer began.
        """
        now_s = self._loop.time()
        until = now_s + self._timeout_s
        line = self._kept(message, now_s) or await self._connected()
        if leaves is not None and not leaves():  # connecting may have taken longer than the permission to send
            line.idle_since = self._loop.time()
            self._idle.append(line)
            raise WithheldError
        if until < self._rings_at:
            self._ring_at(until)
        self._under_way.add(line)
        try:
            received = await line.ask(self._head + b"%d\r\n\r\n" % len(body) + body, message, until)
        except BaseException:
            line.close()
            raise
        finally:
            self._under_way.discard(line)
        if received.body is not None and line.is_fit:
            line.idle_since = self._loop.time()
            self._idle.append(line)
        else:
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
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None or protocol.should_close:
            connection.close()
            raise NotConnectedError("the server hung up, or spoke before it was asked")
        return Line(connection, transport, self._longest)

    def _ring_at(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        self._timer = None if at == math.inf else self._loop.call_at(at, self._give_up)

    def _give_up(self, *, has_read: bool = False) -> None:
        """Give up all whose time is over, once all is read that has come."""
        now_s = self._loop.time()
        over = [line for line in self._under_way if line.until <= now_s]
        if not has_read and any(now_s - line.until > _LATE_S for line in over):
            self._rings_at = now_s  # nothing rings before
            self._timer = self._loop.call_later(_READING_S, partial(self._give_up, has_read=True))
            return
        for line in over:
            line.give_up()
        self._ring_at(min((line.until for line in self._under_way if line.until > now_s), default=math.inf))


def _could_be_confused(asked: Message | None, message: Message | None) -> bool:
    return asked is not None and message is not None and are_alike(asked, message)
