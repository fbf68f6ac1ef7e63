"""The connections of the page's server. What is no request never comes to the guards, and is answered here."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from bulksend.web.guarding import HEADERS
from bulksend.web.wording import say

_LOG = logging.getLogger(__name__)
_LOG.disabled = True  # it repeats what was sent, cookies too; what goes wrong with a page of ours is logged with that


class _Connection(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Say that it was none, and repeat nothing of it, cookies neither."""
        super().handle_error(request, status, exc, message)  # closes what was answered in part
        answer = web.Response(status=status, text=say("guard.unread"), headers=HEADERS)
        answer.force_close()
        return answer


async def listen(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    """Listen, for an application that is set up.

    Raises:
        OSError: the port is taken.
        RuntimeError: it is not set up.
    """
    loop, server = asyncio.get_running_loop(), runner.server
    if server is None:
        raise RuntimeError("the application is not set up")

    def connected() -> asyncio.Protocol:
        return _Connection(server, loop=loop, access_log=_LOG, logger=_LOG)

    return await loop.create_server(connected, host, port)
