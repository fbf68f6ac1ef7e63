"""Settings as they may be shown: what is secret in them, or may be, is left out.

Nothing of a key is shown, not even its end: a screen is shared and a log is kept, and of a short key little else would
be left to guess. Which one it is, is told by where it comes from.
"""

from __future__ import annotations

import re

from bulksend.cli.configuration import KEY_NAME
from bulksend.cli.settings import PROGRAMS
from bulksend.words import printable

MASK = "********"

_KEYS = (KEY_NAME, "token")
_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"^([a-z][a-z0-9+.-]*://)?(?:.*@)?([^/?#]*).*$", re.IGNORECASE | re.DOTALL)


def masked(name: str, value: object) -> str:
    """An option's value in words: of a key nothing, of a program its name, of a web hook its host."""
    if isinstance(value, list | tuple):
        return ", ".join(masked(name, each) for each in value)
    text = f"{value}".lower() if isinstance(value, bool) else f"{value}"
    if name in _KEYS:
        return MASK
    if name in PROGRAMS:
        program, _, arguments = text.strip().partition(" ")
        return printable(f"{program} {MASK}" if arguments else program)
    if name == "webhook":
        return printable(_HOST.sub(rf"\1\2/{MASK}", text))
    return printable(text if name == "message" else without_password(text))


def without_password(address: str) -> str:
    """An address without the user and the password that may stand in it; any other text as it is."""
    return _USER.sub(rf"\1{MASK}@", address) if "://" in address or ":" in address.partition("@")[0] else address
