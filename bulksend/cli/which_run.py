"""Which run a command is about: named by its own file, or by the input beside which it lies."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bulksend.errors import UsageError
from bulksend.runs import is_run_file, run_named


def run_meant(given: Path, out: Console) -> Path:
    """The run file that is meant; that only a rehearsal of an input lies there is said.

    Raises:
        UsageError: an input is named that has no run beside it.
    """
    found = run_named(given)
    if found == given:
        if given.is_file() and given.suffix != ".run" and not is_run_file(given):
            raise UsageError(f"{given}: this is not a run file, and no run of it lies beside it")
        return given
    if found.name.endswith(".sandbox.run"):
        out.print(f"{given}: of this there is only a rehearsal, {found.name}, which is taken.", soft_wrap=True)
    return found
