"""The page's stylesheet: the vendored one and what the page adds to it, in one answer.

As two files a browser may apply the first before the second is there, and asks for pictures that the second replaces.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

_PARTS = ("pico.classless.min.css", "app.css")


def stylesheet(static: Path) -> web.RouteDef:
    """The route of it, beside the files in the folder `static`, to which its addresses are relative."""
    text = "\n".join((static / name).read_text(encoding="utf-8") for name in _PARTS)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/css")

    return web.get("/static/page.css", answer)
