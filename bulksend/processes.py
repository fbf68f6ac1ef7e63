"""Processes of our own: this Python, and a module of this package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_NONE_OF_ITS_BUSINESS = ("BULKSEND_", "PGPASSWORD")  # the API's key and passwords among them


def command(module: str) -> tuple[str, ...]:
    """What starts a module of this package as a program, whatever folder it is started in."""
    return (sys.executable, "-P", "-m", module)


def environment() -> dict[str, str]:
    """This process's, with the way to this package and without what is none of the other's business."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NONE_OF_ITS_BUSINESS)}
    paths = [str(_ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}
