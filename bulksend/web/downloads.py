"""Files that are made of a run and taken away: made in a folder of their own, and gone at once."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from bulksend.runs import Place, Run, beside, open_run
from bulksend.web.desk import desk_of, draft_of

_PIECE = 1 << 18  # bytes
_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


async def download(request: web.Request, name: str, write: Callable[[Run, Path], object]) -> web.StreamResponse:
    """What is made of a draft's run, to be kept.

    Args:
        request: names the draft.
        name: of the file, behind the run's own; its ending says what it is.
        write: makes it.
    """
    desk, draft = desk_of(request), draft_of(request)
    if not draft.has_run:
        raise web.HTTPNotFound
    whole = f"{_STRANGE.sub('_', beside(draft.place, '').name)}.{name}"
    headers = {"Content-Type": _TYPES[Path(name).suffix], "Content-Disposition": f'attachment; filename="{whole}"'}
    with tempfile.TemporaryDirectory(dir=desk.drafts.folder(draft)) as folder:  # numbers of people: gone at once
        path = Path(folder) / name
        await asyncio.to_thread(_write, draft.place, path, write)
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(request)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                await answer.write(piece)
    await answer.write_eof()
    return answer


def _write(place: Place, path: Path, write: Callable[[Run, Path], object]) -> None:
    with open_run(place) as run:
        write(run, path)
