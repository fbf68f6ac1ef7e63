"""A webhook: told over HTTP how a send ended. Its address is a secret, for whoever knows it may speak there."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from contextlib import suppress
from typing import Any

import aiohttp
from yarl import URL

from bulksend import __version__
from bulksend.engagespark import is_loopback, proxy_for
from bulksend.errors import UsageError

_IN_ALL_S = 10.0
_TRY_S = 5.0
_WAITS_S = (0.0, 0.5, 1.0)  # before each try
_PASSING = frozenset({408, 425, 429, *range(500, 600)})


class Webhook:
    """Where a program of somebody else's is told.

    Args:
        url: https, or http on this machine.
        secret: what the body is signed with; None to leave it unsigned.
        in_all_s: for so long it is tried at most.
        try_s: for so long each time.

    Raises:
        UsageError: the address cannot be used; it is not shown.
    """

    def __init__(
        self, url: str, secret: bytes | None = None, *, in_all_s: float = _IN_ALL_S, try_s: float = _TRY_S
    ) -> None:
        self._url = _checked(url)
        self._secret = secret
        self._in_all_s = in_all_s
        self._try_s = try_s
        proxy = proxy_for(self._url)
        self._way: dict[str, Any] = {} if proxy is None else {"proxy": proxy.url, "proxy_headers": proxy.headers}

    async def tell(self, body: bytes, wall_s: float) -> str:
        """POST a JSON body, three times at most, and to no other address; why it was not taken, empty if it was.

        Args:
            body: the body.
            wall_s: seconds since 1970: when it is said; the same in every try, by which they are known for one.
        """
        why = f"no answer within {self._in_all_s:g} s"
        fields = self._fields(body, wall_s)
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(self._in_all_s),
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=self._try_s)
                ) as session,
            ):
                for wait_s in _WAITS_S:
                    await asyncio.sleep(wait_s)
                    why, may_pass = await self._post(session, body, fields)
                    if not may_pass:
                        break
        return why and f"the webhook at {masked(str(self._url))} was not told: {why}"

    def _fields(self, body: bytes, wall_s: float) -> dict[str, str]:
        said_at = f"{wall_s:.0f}"
        fields = {
            "Content-Type": "application/json",
            "User-Agent": f"bulksend/{__version__}",
            "X-Bulksend-Timestamp": said_at,
        }
        if self._secret is not None:
            signature = hmac.new(self._secret, said_at.encode() + b"." + body, hashlib.sha256).hexdigest()
            fields["X-Bulksend-Signature"] = f"sha256={signature}"
        return fields

    async def _post(self, session: aiohttp.ClientSession, body: bytes, fields: dict[str, str]) -> tuple[str, bool]:
        """Why it was not taken, and whether that may pass."""
        try:
            async with session.post(
                self._url, data=body, headers=fields, allow_redirects=False, **self._way
            ) as response:
                status = response.status
        except TimeoutError:
            return f"no answer within {self._try_s:g} s", True
        except (aiohttp.ClientError, OSError) as error:
            return _words(error), True
        if 200 <= status < 300:
            return "", False
        if 300 <= status < 400:
            return f"it points elsewhere ({status}), which is not followed", False
        return f"it answered {status}", status in _PASSING


def masked(url: str) -> str:
    """An address of which only scheme and host are shown; empty if it has none."""
    try:
        parsed = URL(url.strip())
    except ValueError:
        return ""
    return f"{parsed.scheme}://{parsed.host}/…" if parsed.scheme and parsed.host else ""


def _checked(text: str) -> URL:
    try:
        url = URL(text.strip())
        host = url.host or ""
    except ValueError:
        raise UsageError("the webhook's address is none") from None  # it may hold a secret: not shown
    if not host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host))):
        raise UsageError("the webhook's address is not used: it must start with https://, or be on this machine itself")
    return url


def _words(error: Exception) -> str:
    """Why nothing came, in words of our own: the library's may hold the address."""
    match error:
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return "its certificate is not trusted, or it speaks no TLS"
        case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
            return "the proxy on the way did not reach it"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number), strerror=says)):
            return f"it could not be reached ({os.strerror(number) if number > 0 else says})"
        case aiohttp.ClientConnectionError():
            return "the connection broke"
        case _:
            return "it could not be reached, or did not answer in HTTP"
