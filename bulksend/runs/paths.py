"""Where things lie: a campaign's files by default, and what outlives runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import platformdirs

from bulksend.errors import InputError, UsageError
from bulksend.planning import STDIN
from bulksend.runs.sqlite import is_run_file

FOLDER_VARIABLE = "BULKSEND_STATE_DIR"


class Paths(NamedTuple):
    """A campaign's files.

    Attributes:
        run: the run file.
        results: where its results go.
    """

    run: Path
    results: Path

    @classmethod
    def beside(cls, input_name: str, run: Path | None = None, results: Path | None = None) -> Paths:
        """The default names: ``campaign.csv`` gives ``campaign.run`` and ``campaign.results.csv`` beside it."""
        given = Path("stdin") if input_name == STDIN else Path(input_name)
        if not given.name:
            raise InputError(f"{input_name!r}: this is a folder, not a file")
        if is_run_file(given):
            run = given
        run = run or given.with_suffix(".run")
        return cls(run, results or given.with_suffix(".results.csv"))


def state_folder() -> Path:
    """The folder of what outlives a run: BULKSEND_STATE_DIR, or the user's own state directory.

    Raises:
        UsageError: it cannot be made.
    """
    folder = state_path()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: the state folder cannot be made ({error.strerror}); name another with {FOLDER_VARIABLE}"
        ) from error
    return folder


def state_path() -> Path:
    """Where that folder is, whether it is there or not."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else platformdirs.user_state_path("bulksend")
