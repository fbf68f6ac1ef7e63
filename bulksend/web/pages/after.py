"""What people take away: the results."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from aiohttp import web

from bulksend.reports import write_results
from bulksend.runs import open_run
from bulksend.web.desk import desk_of, draft_of

_PIECE = 1 << 18  # bytes
_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


async def results(request: web.Request) -> web.StreamResponse:
    """The results as they are now, to be kept."""
    desk, draft, kind = desk_of(request), draft_of(request), request.match_info["kind"]
    if not draft.has_run:
        raise web.HTTPNotFound
    name = f"{_STRANGE.sub('_', Path(draft.run).stem)}.results.{kind}"
    disposition = f'attachment; filename="{name}"'
    answer = web.StreamResponse(headers={"Content-Type": _TYPES[kind], "Content-Disposition": disposition})
    with tempfile.TemporaryDirectory(dir=desk.drafts.folder(draft)) as folder:  # numbers of people: gone at once
        path = Path(folder) / f"results.{kind}"
        await asyncio.to_thread(_write, draft.run, path)
        await answer.prepare(request)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                await answer.write(piece)
    await answer.write_eof()
    return answer


def _write(place: str, path: Path) -> None:
    with open_run(Path(place)) as run:
        write_results(run, path)
