"""A file that is brought: read as it comes, no further than is allowed, into a file for its owner alone."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from aiohttp import BodyPartReader, MultipartReader, web

from bulksend.errors import UsageError
from bulksend.web.private import create_private, private_folder
from bulksend.web.wording import say

_PIECE = 1 << 18  # bytes
_NAME_MAX = 100
_STRANGE = re.compile(r"[^\w .()+-]+")
_UNNAMED = "sheet"


async def receive(parts: MultipartReader | None, folder: Path, most: int) -> Path:
    """Keep the file of a form.

    Args:
        parts: what of the form is left to read.
        folder: where to, a folder for this file alone.
        most: bytes.

    Raises:
        UsageError: there is none.
        HTTPRequestEntityTooLarge: it is larger; nothing of it is kept.
    """
    part = await parts.next() if parts else None
    if not isinstance(part, BodyPartReader) or not part.filename:
        raise UsageError(say("sheet.none"))
    path = private_folder(folder) / _fit(part.filename)
    try:
        with os.fdopen(create_private(path), "wb") as file:
            while piece := await part.read_chunk(_PIECE):
                most -= len(piece)
                if most < 0:
                    raise web.HTTPRequestEntityTooLarge(0, 0, text=say("sheet.large"))
                file.write(piece)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return path


def _fit(name: str) -> str:
    """A name that is one of a file here, whatever was sent: no folder, no control, nothing that turns the text."""
    stem, dot, ending = _STRANGE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .").rpartition(".")
    return f"{stem[: _NAME_MAX - len(ending[:10])]}{dot}{ending[:10]}" if stem else f"{ending[:_NAME_MAX]}" or _UNNAMED
