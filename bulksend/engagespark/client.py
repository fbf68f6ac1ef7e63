"""The API over HTTP: one POST a call; whatever happens to it comes back as a verdict, never as an exception."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import orjson
from aiohttp.http import HttpProcessingError
from yarl import URL

from bulksend.engagespark import bodies
from bulksend.engagespark.account import Balance, Looked, Page
from bulksend.engagespark.outcomes import Fault, Reply, judge
from bulksend.engagespark.target import Target
from bulksend.engagespark.wire import NotConnectedError, Received, Wire
from bulksend.model import Message
from bulksend.sending import Verdict
from bulksend.words import printable

_ANSWER_MAX = 1_000_000  # bytes; the API's answers are under 3,000
_LIST_MAX = 5_000_000  # bytes of a page of 100 messages
_CONNECT_TIMEOUT_S = 10.0
_BALANCE_TIMEOUT_S = 10.0  # nobody waits for what is only good to know
_NOBODY_BEHIND = frozenset({408, 502, 503, 504, *range(520, 531)})  # the last are Cloudflare's own
# Idle connections are dropped before a server or gateway usually does, so that a POST rarely meets a closing one.
_IDLE_S = 15.0

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
        self._secret = target.api_key.encode()
        self._fields = {
            "Authorization": f"Token {target.api_key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent,
        }
        # Connecting gives up a little before the whole does, so that it shows that nothing has left.
        connect_s = min(_CONNECT_TIMEOUT_S, timeout_s * 0.9)
        self._wire = Wire(
            URL(target.base_url.rstrip("/") + f"/v1/sms/{target.endpoint}"),
            self._fields,
            connect_s=connect_s,
            timeout_s=timeout_s,
            idle_s=_IDLE_S,
            longest=_ANSWER_MAX,
        )
        organization = target.base_url.rstrip("/") + f"/v1/organizations/{target.org_id}"
        self._list_url = URL(f"{organization}/messages/")
        self._balance_url = URL(f"{organization}/balance.json")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s, sock_connect=connect_s)
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), headers=self._fields, timeout=self._timeout, auto_decompress=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._wire.__aexit__(kind, error, trace)

    async def send(self, message: Message, dedup_key: str | None) -> Verdict:
        """POST one message, once, and judge what comes back.

        Args:
            message: what to send.
            dedup_key: its clientDedup, or None to leave the field out.
        """
        return judge(await self.post(message, dedup_key))

    async def post(self, message: Message, dedup_key: str | None) -> Reply:
        """POST one message, once; what came back, as it came.

        Args:
            message: what to send.
            dedup_key: its clientDedup, or None to leave the field out.
        """
        body = orjson.dumps(_request(self._target.org_id, message, dedup_key))
        try:
            received = await self._wire.post(body)
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as error:
            return Reply(None, Fault.UNTRUSTED, error=printable(str(error)))
        except (aiohttp.ClientConnectorError, NotConnectedError) as error:
            return Reply(None, Fault.UNREACHABLE, error=printable(_reason(error)))
        except TimeoutError:
            return Reply(None, Fault.TIMED_OUT)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            return Reply(None, Fault.BROKEN_OFF, error=printable(str(error)))
        reply = _understood(received, message, dedup_key, self._secret)
        if not reply.matches:
            self._wire.drop()
        return reply

    async def messages(self, after: str | None) -> Page | Looked:
        """See `bulksend.engagespark.lookup.Lister.messages`."""
        query = {"limit": "100", "dir": "out"} | ({} if after is None else {"after": after})
        return await self._get(self._list_url.with_query(query), bodies.page)

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
            async with (
                asyncio.timeout(_BALANCE_TIMEOUT_S),
                self._session.get(self._balance_url, allow_redirects=False) as response,
            ):
                return response.status not in _NOBODY_BEHIND
        except (aiohttp.ClientError, OSError):  # a time-out is an OSError
            return False

    async def _get(self, url: URL, understood: Callable[[Any], T | None]) -> T | Looked:
        """GET what a server may have or not; why not if what comes is not it."""
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    return _why_not(response.status)
                body = await _bounded(response, _LIST_MAX)
        except (aiohttp.ClientError, OSError):  # a time-out is an OSError
            return Looked.NOT_REACHED
        if body is None:
            return Looked.NOT_UNDERSTOOD
        try:
            found = understood(orjson.loads(body.replace(self._secret, b"...")))
        except (LookupError, ValueError, TypeError, AttributeError):
            return Looked.NOT_UNDERSTOOD
        return Looked.NOT_UNDERSTOOD if found is None else found


def _why_not(status: int) -> Looked:
    if status in (401, 403):
        return Looked.REFUSED
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


def _understood(received: Received, message: Message, dedup_key: str | None, secret: bytes) -> Reply:
    """Read an answer by its content: the live service says application/jsonl, the document nothing."""
    status = received.status
    retry_after = _retry_after(status, received.headers)
    if received.body is None:
        fault = Fault.OVERSIZED
        if received.trouble is not None:
            fault = Fault.TIMED_OUT if isinstance(received.trouble, TimeoutError) else Fault.BROKEN_OFF
        return Reply(status, fault, retry_after_s=retry_after)
    try:
        said = orjson.loads(received.body.replace(secret, b"..."))  # whatever a server echoes, the key goes no further
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        return Reply(status, Fault.UNREADABLE, retry_after_s=retry_after)
    return Reply(
        status,
        answer=bodies.answer(said),
        error=bodies.text(said, "error"),
        echoed=dedup_key is not None and said.get("clientDedup") == dedup_key,
        matches=_is_ours(status, said, message, dedup_key),
        retry_after_s=retry_after,
    )


async def _bounded(response: aiohttp.ClientResponse, longest: int) -> bytes | None:
    if response.content_length is not None and response.content_length <= longest:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > longest:
            return None
    return bytes(body)


def _is_ours(status: int, said: Mapping[str, Any], message: Message, dedup_key: str | None) -> bool:
    """Whether an answer speaks of our message, as far as it tells."""
    key = said.get("clientDedup")
    if dedup_key is not None and isinstance(key, str) and key not in ("", dedup_key):
        return False
    return _is_to(said, message) and (status != 409 or _has_text(said, message))


def _is_to(said: Mapping[str, Any], message: Message) -> bool:
    """Whether an answer is to our recipient, as far as it tells."""
    if isinstance(message.recipient, int):
        return bodies.integer(said, "contactId") in (None, 0, message.recipient)
    to = said.get("to")
    return not (isinstance(to, str) and to.isdecimal()) or to == message.recipient


def _has_text(said: Mapping[str, Any], message: Message) -> bool:
    """Whether an answer has our text, as far as it tells; server-side fields come back filled."""
    return "{{" in message.text or said.get("message") in (None, "", message.text)


def _retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds that a busy server asks to be left alone: a number, or an HTTP date (RFC 9110, section 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if status not in (429, 503) or not value:
        return None
    if value.isdecimal() and value.isascii():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _reason(error: aiohttp.ClientConnectorError | NotConnectedError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        known = os.strerror(error.os_error.errno) if error.os_error.errno and error.os_error.errno > 0 else ""
        why = error.os_error.strerror if isinstance(error, aiohttp.ClientConnectorDNSError) or not known else known
        return f"{error.host}:{error.port}: {why or error.os_error}"
    return str(error)
