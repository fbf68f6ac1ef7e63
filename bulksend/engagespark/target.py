"""Where messages go, and in whose name; apart from the client, for most of what asks for it needs no HTTP."""

from __future__ import annotations

import ipaddress
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
        try:
            url = URL(self.base_url)
            host = (url.host or "").encode("idna")
        except ValueError as error:  # UnicodeError is one
            raise UsageError(f"base URL {self.base_url!r} is none: {error}") from error
        if host and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(host.decode()))):
            return
        raise UsageError(
            f"base URL {self.base_url!r} is not used: it must start with https:// so that the API key stays secret"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
