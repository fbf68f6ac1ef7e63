"""What came of a POST made into a `Reply`: an answer's bytes read, an exception named, the key taken out of both."""

from __future__ import annotations

import os
import ssl
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson

from bulksend.engagespark import bodies
from bulksend.engagespark.identity import identify
from bulksend.engagespark.line import NoHttpError, Received
from bulksend.engagespark.outcomes import Fault, Reply
from bulksend.engagespark.wire import NotConnectedError, ProxyRefusedError
from bulksend.model import Message
from bulksend.words import printable

SEND_FAULTS = (aiohttp.ClientError, OSError, NoHttpError, NotConnectedError)
"""What a POST over the wire may raise."""

_ALERTS = ("SSLV3_ALERT", "TLSV1_", "TLSV13_")  # how OpenSSL's words for a peer's alert begin


class Secret:
    """The API key, which whatever a server echoes goes no further."""

    __slots__ = ("_bytes", "_in_json", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = text.encode()
        self._in_json = orjson.dumps(text)[1:-1]

    def read(self, body: bytes) -> Any:
        """JSON without the key, however that is escaped.

        Raises:
            orjson.JSONDecodeError: it is no JSON.
        """
        said = orjson.loads(body)
        if b"\\" in body or self._bytes in body:
            said = orjson.loads(orjson.dumps(said).replace(self._in_json, b"..."))
        return said

    def told(self, error: object) -> str:
        """An error's words without the key."""
        return printable(str(error).replace(self._text, "..."))


def understood(received: Received, message: Message, dedup_key: str | None, secret: Secret, *, at_api: bool) -> Reply:
    """Read an answer by its content: the live service says application/jsonl, the document nothing.

    Args:
        received: the answer.
        message: what was asked.
        dedup_key: the key it was asked with, or None.
        secret: what is taken out of it.
        at_api: whether the API has spoken at this address before.
    """
    status = received.status
    retry_after_s, slow = _asked_to_slow_down(received) if status in (429, 503) else (None, False)
    said = _said(received.body, secret)
    if said is None:
        # Two answers to one request: which is ours, nobody knows.
        return Reply(
            status,
            _fault_in(received),
            matches=not received.has_more,
            retry_after_s=retry_after_s,
            slow=slow,
            at_api=at_api,
        )
    echoed, matches, names = identify(status, said, message, dedup_key, received.before)
    if received.has_more and not names:
        matches = False
    error = bodies.words(said, "error")
    return Reply(status, None, bodies.answer(said), error, echoed, matches, retry_after_s, slow, at_api)


def fault_of(error: Exception, secret: Secret) -> Reply:
    """What an exception from the wire says: whether anything may have left, and a sentence."""
    match error:
        case ProxyRefusedError():
            fault = Fault.PROXY_FAILED if error.status >= 500 else Fault.PROXY_REFUSED
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ServerFingerprintMismatch():
            fault = Fault.UNTRUSTED
        case aiohttp.ClientConnectorSSLError():
            fault = _tls_fault(error.os_error)
        case aiohttp.ClientConnectorError() | NotConnectedError():
            return Reply(None, Fault.UNREACHABLE, error=secret.told(_reason(error)))
        case TimeoutError():
            return Reply(None, Fault.TIMED_OUT)
        case NoHttpError():
            fault = Fault.NO_HTTP
        case _:
            fault = Fault.BROKEN_OFF
    return Reply(None, fault, error=secret.told(error))


def _tls_fault(error: OSError) -> Fault:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Fault.UNREACHABLE
    reason = getattr(error, "reason", None) or ""
    return Fault.TLS_ALERT if reason.startswith(_ALERTS) else Fault.NO_TLS


def _said(body: bytes | None, secret: Secret) -> dict[str, Any] | None:
    """An answer's object; None if it has none."""
    if body is None:
        return None
    try:
        said = secret.read(body)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _fault_in(received: Received) -> Fault:
    """Why an answer has no object."""
    if received.body is not None:
        return Fault.UNREADABLE
    if received.trouble is None:
        return Fault.OVERSIZED
    return Fault.TIMED_OUT if isinstance(received.trouble, TimeoutError) else Fault.BROKEN_OFF


def _asked_to_slow_down(received: Received) -> tuple[float | None, bool]:
    """Seconds that a busy server asks to be left alone, if that is of use, and whether it asks at all.

    A number, or an HTTP date (RFC 9110, section 10.2.3), which is UTC whatever it says.
    """
    value = received.head.field("Retry-After")
    slow = received.status == 429 or value != ""
    if value.isdecimal() and value.isascii():
        seconds = float(value[:9])
    else:
        try:
            until = parsedate_to_datetime(value)
            seconds = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None, slow
    return (seconds if seconds > 0 else None), slow


def _reason(error: aiohttp.ClientConnectorError | NotConnectedError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        known = os.strerror(error.os_error.errno) if error.os_error.errno and error.os_error.errno > 0 else ""
        why = error.os_error.strerror if isinstance(error, aiohttp.ClientConnectorDNSError) or not known else known
        return f"{error.host}:{error.port}: {why or error.os_error}"
    return str(error)
