"""Processes of our own: this Python, and a module of this package."""

from __future__ import annotations

import os
import re
import site
import sys
from pathlib import Path

_ROOT = str(Path(__file__).parents[1])
_STATE = "BULKSEND_STATE_DIR"
_SAID = "BULKSEND_"  # to the command line, for itself alone: what another one is to do, it is told; the key among it
_NONE_OF_ITS_BUSINESS = re.compile(r"BULKSEND_|PGPASSWORD|\w+_PROXY\b", re.IGNORECASE)  # keys and passwords among them


def command(module: str) -> tuple[str, ...]:
    """What starts a module of this package as a program, whatever folder it is started in."""
    return (sys.executable, "-P", "-m", module)


def environment() -> dict[str, str]:
    """This process's, with the way to this package and without what is none of the other's business."""
    return {name: value for name, value in own_environment().items() if not _NONE_OF_ITS_BUSINESS.match(name)}


def own_environment() -> dict[str, str]:
    """This process's, with the way to this package and without what was said to it, for one that works in its place."""
    said = (_SAID, "PYTHON") if sys.flags.ignore_environment else (_SAID,)  # by -I or -E
    kept = {name: value for name, value in os.environ.items() if not name.startswith(said) or name == _STATE}
    if _is_installed():
        return kept
    return kept | {"PYTHONPATH": os.pathsep.join([_ROOT, *filter(None, [kept.get("PYTHONPATH")])])}


def _is_installed() -> bool:
    """Whether Python finds this package by itself; what lies beside it must not come before Python's own modules."""
    return not sys.flags.no_site and _ROOT in {*site.getsitepackages(), site.getusersitepackages()}
