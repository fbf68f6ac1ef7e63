"""The way in: a file that only its owner can read opens the page once, so that no address holds a secret."""

from __future__ import annotations

import secrets
import time
from html import escape
from pathlib import Path

from aiohttp import web

from bulksend.web.guarding import ENTRY, SESSION
from bulksend.web.private import private_folder, write_private
from bulksend.web.rendering import render
from bulksend.web.wording import say, spoken

_FILE = """\
<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>bulksend</title>
<form method="post" action="{address}"><input type="hidden" name="token" value="{token}">
<button>{says}</button></form>
<script>document.forms[0].submit()</script>
</html>
"""


class Entry:
    """Lets one browser in.

    Args:
        state: the page's own folder.
        seconds: for so long.

    Attributes:
        file: what the browser is to open.
    """

    def __init__(self, state: Path, seconds: float) -> None:
        self.file = private_folder(state) / f"open-{secrets.token_hex(4)}.html"
        self._seconds = seconds
        self._token = secrets.token_urlsafe(32)
        self._until_s = 0.0

    def open(self, port: int) -> None:
        """Write the file; from now on the time runs."""
        address = f"http://127.0.0.1:{port}{ENTRY}"
        about = {"address": address, "token": self._token, "language": spoken(), "says": say("entered.open")}
        write_private(self.file, _FILE.format(**{name: escape(value) for name, value in about.items()}))
        self._until_s = time.monotonic() + self._seconds

    def takes(self, token: str) -> bool:
        """Whether this is the token, in time and for the first time."""
        is_right = secrets.compare_digest(token.encode(), self._token.encode())
        if not is_right or time.monotonic() >= self._until_s:
            return False
        self.close()
        return True

    def close(self) -> None:
        """Let nobody in any more."""
        self._until_s = 0.0
        self.file.unlink(missing_ok=True)


ENTRANCE: web.AppKey[Entry] = web.AppKey("entrance", Entry)


async def enter(request: web.Request) -> web.StreamResponse:
    """Take the token and give the cookie.

    The next page is opened by this one: a strict cookie does not follow a redirection that began in a file.
    """
    if not request.app[ENTRANCE].takes(str((await request.post()).get("token", ""))):
        raise web.HTTPForbidden(text=say("guard.entry"))
    answer = render(request, "entered.html")
    request.app[SESSION].open_for(answer)
    return answer
