"""Where messages go, and in whose name; apart from the client, for most of what asks for it needs no HTTP."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from yarl import URL

from bulksend.errors import UsageError
from bulksend.model import Endpoint


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go, and in whose name.

    Attributes:
        base_url: scheme and host, such as https://api.engagespark.com.
        org_id: the organization's id.
        endpoint: which of the API's twins.
        api_key: the secret; never shown.
    """

    base_url: str
    org_id: int
    endpoint: Endpoint
    api_key: str = field(repr=False)

    def __post_init__(self) -> None:
        shown = re.sub("//[^/]*@", "//…@", self.base_url)
        try:
            url = URL(self.base_url)
            host = (url.host or "").encode("idna")
        except ValueError as error:  # UnicodeError is one
            raise UsageError(f"base URL {shown!r} is none: {error}") from error
        if not host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host.decode()))):
            raise UsageError(
                f"base URL {shown!r} is not used: it must start with https:// so that the API key stays secret"
            )
        if shown != self.base_url:
            raise UsageError(
                f"base URL {shown!r} is not used: it holds a user or password, which the API does not know"
            )
        if "?" in self.base_url or "#" in self.base_url:
            raise UsageError(f"base URL {shown!r} is not used: it holds a query or fragment, behind which no path fits")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, by its name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
