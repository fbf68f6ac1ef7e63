"""Which account is meant: an address can be spelled in several ways."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from urllib.parse import urlsplit

_LOOPBACK = "127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def account_name(base_url: str, org_id: int) -> str:
    """An account's name, the same for all spellings of its address; all addresses of this machine itself are one."""
    url = urlsplit(base_url)
    host = (url.hostname or "").rstrip(".")
    with suppress(ValueError):  # a UnicodeError is one: then it stands as it is written
        host = host.encode("idna").decode()
    with suppress(ValueError):  # it is no number
        host = _LOOPBACK if ipaddress.ip_address(host).is_loopback else str(ipaddress.ip_address(host))
    if host == "localhost":
        host = _LOOPBACK
    port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
    return re.sub(r"[^A-Za-z0-9.-]+", "_", f"{host}{port}{url.path.rstrip('/')}-{org_id}")
