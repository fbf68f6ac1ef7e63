"""What people take away: the results."""

from __future__ import annotations

from aiohttp import web

from bulksend.reports import write_results
from bulksend.web.downloads import download


async def results(request: web.Request) -> web.StreamResponse:
    """The results as they are now, to be kept."""
    return await download(request, f"results.{request.match_info['kind']}", write_results)
