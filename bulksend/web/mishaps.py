"""What goes wrong, as a page of its own; a fault of ours tells the browser nothing but that."""

from __future__ import annotations

import logging

from aiohttp import web

from bulksend.errors import BulksendError
from bulksend.web.guarding import SESSION, Handler
from bulksend.web.rendering import render
from bulksend.web.wording import say

_LOG = logging.getLogger(__name__)
_GONE = 404


@web.middleware
async def tell_mishaps(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Word it."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        return _page(request, error.status, error.text or error.reason)
    except BulksendError as error:
        return _page(request, 422, str(error))
    except Exception:  # noqa: BLE001 -- whatever it is, the browser hears no more of it than this
        _LOG.exception("a page could not be made")
        return _page(request, 500, say("mishap.fault"))


def _page(request: web.Request, status: int, says: str) -> web.Response:
    is_inside = request.app[SESSION].is_of(request)
    back = f"/c/{key}/price" if status != _GONE and (key := request.match_info.get("key", "")) else ""
    more = {"here": back} if back else {}
    return render(request, "mishap.html", status, says=says, is_inside=is_inside, back=back, **more)
