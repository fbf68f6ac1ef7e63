"""Where things lie: a campaign's files by default, and what outlives runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import platformdirs

from bulksend.errors import InputError, UsageError
from bulksend.planning import STDIN
from bulksend.runs.places import Place, beside, place_of
from bulksend.runs.sqlite import is_run_file

FOLDER_VARIABLE = "BULKSEND_STATE_DIR"
_REHEARSED = ".sandbox"  # in the names of a rehearsal's files


class Paths(NamedTuple):
    """A campaign's files.

    Attributes:
        run: the run's place.
        results: where its results go.
    """

    run: Place
    results: Path

    @classmethod
    def beside(
        cls, input_name: str, run: Place | None = None, results: Path | None = None, *, rehearses: bool = False
    ) -> Paths:  # fmt: skip
        """The default names: ``campaign.csv`` gives ``campaign.run``, and that ``campaign.results.csv``.

        A rehearsal has names of its own, ``campaign.sandbox.run`` and ``campaign.sandbox.results.csv``, so that it
        does not stand in the way of the real run. The results of a run in a database lie in the current folder.

        Raises:
            UsageError: it is no name that an input or a run can have.
        """
        given = Path("stdin") if input_name == STDIN else place_of(input_name)
        if not given.name:
            raise InputError(f"{input_name!r}: this is a folder, not a file")
        match given:
            case Path() if not is_run_file(given):
                run = run or given.with_suffix(f"{_REHEARSED if rehearses else ''}.run")
            case _:
                run = given
        return cls(run, results or results_beside(run))


def results_beside(run: Place) -> Path:
    """Where a run's results go by default: they have its name, so that no two runs share a file."""
    return beside(run, ".results.csv")


def run_named(given: Place) -> Place:
    """The run that a name means: the run itself, or the one whose file lies beside an input of that name.

    A rehearsal's is meant only where the input has no other. Where there is none, the name itself comes back.
    """
    if not isinstance(given, Path) or not given.name or given.suffix == ".run" or is_run_file(given):
        return given
    its_runs = (given.with_suffix(".run"), given.with_suffix(f"{_REHEARSED}.run"))
    return next(filter(is_run_file, its_runs), given)


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
