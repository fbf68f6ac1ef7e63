"""Results that are given as an input: most of what stands in them was sent, and to nobody again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bulksend.errors import Advice, InputError
from bulksend.planning.reading import shown
from bulksend.sms import column_key

_TOLD = ("row", "status", "messageId", "estimateMicro")
"""Columns that results have, whatever else was added to or taken from them; no other sheet has all of these."""

_ENDING = re.compile(r"(?i)([._-]results?)?\.(csv|jsonl|xlsx|xlsm|ods|xls|xlsb|txt)(\.gz)?$")


def check_no_results(name: str, columns: Sequence[str]) -> None:
    """See that an input is a sheet and not the results of one.

    Raises:
        InputError: it is results; about its run, as far as its name tells.
    """
    if set(map(column_key, _TOLD)) <= set(map(column_key, columns)):
        raise InputError(
            f"{shown(name)}: these are the results of a run, not its sheet: most of these rows were sent already",
            Advice.MEND_RESULTS,
            run=_run_of(name),
        )


def _run_of(name: str) -> str:
    """The run that results were written of, by their name; in general words if that is not told."""
    run = Path(_ENDING.sub(".run", name))
    return str(run) if run.is_file() else "RUN"
