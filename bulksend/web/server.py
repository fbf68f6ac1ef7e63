"""The page's server: on this machine alone, for one browser."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import Self

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.web.desk import DESK, Desk
from bulksend.web.drafts import Drafts
from bulksend.web.entering import ENTRANCE, Entry, enter
from bulksend.web.guarding import ENTRY, GUARDS, PORT, SESSION, Session, bear_headers
from bulksend.web.keys import Keys
from bulksend.web.languages import CHOICE, choose_language, keep_choice
from bulksend.web.listening import listen
from bulksend.web.mishaps import tell_mishaps
from bulksend.web.pages import ROUTES
from bulksend.web.private import private_folder
from bulksend.web.settings import PageSettings
from bulksend.web.styling import stylesheet

_HOST = "127.0.0.1"
_FORM_MAX = 1 << 20  # bytes; a file that is brought is counted by itself
_END_S = 5.0


class PageServer:
    """Serves the page as long as it is entered; sends that are under way end with it, in order.

    Args:
        settings: where it works.

    Attributes:
        port: it listens on.
        entry: the file that opens the page.

    Raises:
        UsageError: the port is taken, when it is entered.
    """

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings
        private_folder(settings.state)
        self._desk = Desk(settings, Drafts(settings.state), Keys(settings.state, settings.base_url))
        self._entry = Entry(settings.state, settings.entry_s)
        self._runner = web.AppRunner(self._app(), shutdown_timeout=_END_S)
        self._listening: asyncio.Server
        self.port = settings.port

    @property
    def entry(self) -> Path:
        """What the browser is to open."""
        return self._entry.file

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            self._listening = await listen(self._runner, _HOST, self.port)
        except OSError as error:
            await self._runner.cleanup()
            raise UsageError(f"port {self.port} of this machine cannot be used: {error.strerror}") from error
        self.port = int(self._listening.sockets[0].getsockname()[1])
        app = self._runner.app
        app[PORT].append(self.port)
        app[SESSION].cookie = f"bulksend-{self.port}"
        self._entry.open(self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._entry.close()
        self._listening.close()
        await self._desk.sends.end()
        await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=(choose_language, tell_mishaps, *GUARDS), client_max_size=_FORM_MAX)
        app[PORT] = []
        app[SESSION] = Session()
        app[DESK] = self._desk
        app[ENTRANCE] = self._entry
        app.on_response_prepare.append(bear_headers)
        static = Path(str(files("bulksend.web") / "static"))
        app.add_routes([web.post(ENTRY, enter), web.post(CHOICE, keep_choice), *ROUTES, stylesheet(static)])
        app.router.add_static("/static/", static)
        return app
