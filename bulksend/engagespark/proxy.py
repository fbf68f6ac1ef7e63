"""The proxy on the way to the API, as the environment names it: HTTPS_PROXY, HTTP_PROXY and NO_PROXY."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

from multidict import CIMultiDict
from yarl import URL

from bulksend.engagespark.target import is_loopback
from bulksend.errors import UsageError


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is asked to CONNECT: it passes on what it cannot read.

    Attributes:
        url: its address, without user and password.
        headers: what it is told with that: user and password, if it has any; never shown.
    """

    url: URL
    headers: CIMultiDict[str] = field(repr=False)


def proxy_for(url: URL) -> Proxy | None:
    """The proxy on the way to an address; None if it is reached directly, as this machine itself always is.

    Raises:
        UsageError: the environment names one that cannot be used.
    """
    host = url.host or ""
    named = getproxies().get(url.scheme)
    if not named or is_loopback(host) or proxy_bypass(f"{host}:{url.port}"):
        return None
    variable = f"{url.scheme.upper()}_PROXY"
    try:
        proxy = URL(named if "://" in named else f"http://{named}")
    except ValueError:
        raise UsageError(f"{variable} is no address") from None  # it may hold a password: not shown
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise UsageError(f"{variable} is not used: it must start with http:// or https://, and name a host")
    headers: CIMultiDict[str] = CIMultiDict()
    if proxy.user is not None:
        user = f"{proxy.user}:{proxy.password or ''}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(user).decode()}"
    return Proxy(proxy.with_user(None).origin(), headers)
