"""Which run a command is about: named by its own place, or by the input beside which its file lies."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bulksend.errors import UsageError
from bulksend.runs import Place, is_run_file, run_named, series


def run_meant(given: Place, out: Console) -> Place:
    """The run that is meant, of an input's the newest; that, or that there is only a rehearsal, is said.

    Raises:
        UsageError: an input is named that has no run beside it.
    """
    found = run_named(given)
    if found == given:
        if isinstance(given, Path) and given.is_file() and given.suffix != ".run" and not is_run_file(given):
            raise UsageError(f"{given}: this is not a run file, and no run of it lies beside it")
        return given
    newest = series(found, str(given))[0].place
    if found.name.endswith(".sandbox.run"):
        out.print(f"{given}: of this there is only a rehearsal, {newest.name}, which is taken.", soft_wrap=True)
    elif newest != found:
        out.print(f"{given}: of its runs this is the newest, {newest.name}.", soft_wrap=True)
    return newest
