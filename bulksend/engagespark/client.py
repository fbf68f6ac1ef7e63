"""The API over HTTP: one POST a call; whatever happens to it comes back as a verdict, never as an exception."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from bulksend.engagespark import bodies
from bulksend.engagespark.account import Balance, Listed, Looked, Page
from bulksend.engagespark.outcomes import Reply, judge
from bulksend.engagespark.proxy import proxy_for
from bulksend.engagespark.replies import SEND_FAULTS, Secret, fault_of, understood
from bulksend.engagespark.target import Target
from bulksend.engagespark.wire import Wire, WithheldError
from bulksend.model import Message
from bulksend.sending import WITHHELD, Verdict

_ANSWER_MAX = 1_000_000  # bytes; the API's answers are under 3,000
_LIST_MAX = 5_000_000  # bytes of a page of 100 messages
_CONNECT_TIMEOUT_S = 10.0
_BALANCE_TIMEOUT_S = 10.0  # nobody waits for what is only good to know
_NOBODY_BEHIND = frozenset({408, 502, 503, 504, *range(520, 531)})  # the last are Cloudflare's own
# Idle connections are dropped before a server or gateway usually does, so that a POST rarely meets a closing one.
_IDLE_S = 15.0

_LIMITS = {"max_line_size": 1 << 16, "max_field_size": 1 << 16, "max_headers": 1_000}
# How long an answer's head may be; older versions of aiohttp do not bound its fields' number.
_PARSED: dict[str, Any] = {
    name: limit for name, limit in _LIMITS.items() if name in inspect.signature(aiohttp.ClientSession).parameters
}

T = TypeVar("T")


class SmsApi:
    """A client of the Send SMS API for one target; an async context manager.

    Args:
        target: where to.
        timeout_s: how long one request may take in all.
        user_agent: who is asking, as HTTP has it.
    """

    def __init__(self, target: Target, *, timeout_s: float, user_agent: str = "bulksend") -> None:
        self._target = target
        self._at_api = False  # whether the API has spoken at the target's address
        self._secret = Secret(target.api_key)
        self._fields = {
            "Authorization": f"Token {target.api_key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent,
        }
        # Connecting gives up a little before the whole does, so that it shows that nothing has left.
        connect_s = min(_CONNECT_TIMEOUT_S, timeout_s * 0.9)
        url = URL(target.base_url.rstrip("/") + f"/v1/sms/{target.endpoint}")
        proxy = proxy_for(url)
        self._way: dict[str, Any] = {} if proxy is None else {"proxy": proxy.url, "proxy_headers": proxy.headers}
        self._wire = Wire(
            url,
            self._fields,
            connect_s=connect_s,
            timeout_s=timeout_s,
            idle_s=_IDLE_S,
            longest=_ANSWER_MAX,
            proxy=proxy,
        )
        organization = target.base_url.rstrip("/") + f"/v1/organizations/{target.org_id}"
        self._list_url = URL(f"{organization}/messages/")
        self._balance_url = URL(f"{organization}/balance.json")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s, sock_connect=connect_s)
        self._session: aiohttp.ClientSession  # without fields of its own, for it would show the key to a proxy

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            auto_decompress=False,
            **_PARSED,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._wire.__aexit__(kind, error, trace)

    async def send(self, message: Message, dedup_key: str | None, leaves: Callable[[], bool]) -> Verdict:
        """See `bulksend.sending.Sender.send`."""
        try:
            return judge(await self.post(message, dedup_key, leaves))
        except WithheldError:
            return WITHHELD

    async def post(
        self, message: Message, dedup_key: str | None, leaves: Callable[[], bool] | None = None
    ) -> Reply:  # fmt: skip
        """POST one message, once; what came back, as it came.

        Args:
            message: what to send.
            dedup_key: its clientDedup, or None to leave the field out.
            leaves: see `send`; None if it may in any case.

        Raises:
            WithheldError: it may not leave.
        """
        body = orjson.dumps(_request(self._target.org_id, message, dedup_key))
        try:
            received = await self._wire.post(body, message, leaves)
        except SEND_FAULTS as error:
            return fault_of(error, self._secret)
        reply = understood(received, message, dedup_key, self._secret, at_api=self._at_api)
        is_the_apis = reply.is_the_apis
        self._at_api = self._at_api or is_the_apis
        if not is_the_apis or received.status >= 500:
            self._wire.drop()  # the API's own answer may still come on it
        return reply

    async def messages(self, after: str | None, end: date | None = None) -> Page | Looked:
        """See `bulksend.engagespark.lookup.Lister.messages`; nothing that is newer than a day, if one is given."""
        query = {"limit": "100", "dir": "out"} | ({} if after is None else {"after": after})
        if end is not None:
            query["endDate"] = end.isoformat()
        return await self._get(self._list_url.with_query(query), bodies.page)

    async def received(self, after: str | None) -> Page | Looked:
        """See `bulksend.engagespark.inbox.Receiver.received`."""
        query = {"limit": "100", "dir": "in"} | ({} if after is None else {"after": after})
        return await self._get(self._list_url.with_query(query), bodies.received)

    async def message(self, message_id: str) -> Listed | Looked:
        """Look up one message by its id; NO_SUCH if the server knows none."""
        return await self._get(self._list_url.joinpath(quote(message_id, safe=""), "", encoded=True), bodies.alone)

    async def balance(self) -> Balance | Looked:
        """Ask for the account's funds; why they are not told if they are not, or not within 10 seconds."""
        try:
            async with asyncio.timeout(_BALANCE_TIMEOUT_S):
                return await self._get(self._balance_url, bodies.balance)
        except TimeoutError:
            return Looked.NOT_REACHED

    async def is_there(self) -> bool:
        """Whether anybody answers for the API: a gateway that has nobody behind it does not."""
        try:
            async with asyncio.timeout(_BALANCE_TIMEOUT_S), self._got(self._balance_url) as response:
                return response.status not in _NOBODY_BEHIND
        except (aiohttp.ClientError, OSError):  # a time-out is an OSError
            return False

    def _got(self, url: URL) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.get(url, headers=self._fields, allow_redirects=False, **self._way)

    async def _get(self, url: URL, read: Callable[[Any], T | None]) -> T | Looked:
        """GET what a server may have or not; why not if what comes is not it."""
        try:
            async with self._got(url) as response:
                if response.status != 200:
                    return _why_not(response.status)
                body = await _bounded(response, _LIST_MAX)
        except (aiohttp.ClientError, OSError):  # a time-out is an OSError
            return Looked.NOT_REACHED
        if body is None:
            return Looked.NOT_UNDERSTOOD
        try:
            found = read(self._secret.read(body))
        except (LookupError, ValueError, TypeError, AttributeError):
            return Looked.NOT_UNDERSTOOD
        if found is None:
            return Looked.NOT_UNDERSTOOD
        self._at_api = True
        return found


def _why_not(status: int) -> Looked:
    if status == 401:
        return Looked.REFUSED
    if status == 403:
        return Looked.WITHHELD
    if status in (404, 405, 410, 501):
        return Looked.NO_SUCH
    return Looked.NOT_REACHED if status >= 500 or status in (408, 429) else Looked.NOT_UNDERSTOOD


def _request(org_id: int, message: Message, dedup_key: str | None) -> dict[str, object]:
    """The document's request body, and clientDedup and clientRef of the newer one."""
    fields: dict[str, object] = {"orgId": org_id, "message": message.text}
    fields["contactId" if isinstance(message.recipient, int) else "to"] = message.recipient
    if message.sender:
        fields["from"] = message.sender
    if dedup_key is not None:
        fields["clientDedup"] = fields["clientRef"] = dedup_key
    return fields


async def _bounded(response: aiohttp.ClientResponse, longest: int) -> bytes | None:
    if response.content_length is not None and response.content_length <= longest:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > longest:
            return None
    return bytes(body)
