"""Somebody elsewhere asks the owner of a run in a database to end: noted beside the owner, who looks now and then."""

from __future__ import annotations

from bulksend.runs.owner import Asked
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import handing, kept, noted, opened, whole
from bulksend.runs.postgres.clock import skew_s
from bulksend.runs.postgres.connecting import connect, explained, transaction
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.listing import number_of
from bulksend.runs.postgres.reader import Reader


def ask_to_end(named: DatabaseRun, wall_s: float) -> Asked | None:
    """Ask whoever has a run for sending to end in order, or its workers; None if nobody has it.

    Raises:
        UsageError: there is no such run, or it is of a newer version.
        RunFileError: it cannot be read or written.
    """
    with connect(named.database) as db, explained(named):
        check_installed(db, named.database)
        ahead_s = skew_s(db)
        with transaction(db):
            of = Reader(db, number_of(db, named), named)
            of.first("SELECT FROM run WHERE id = %(run)s FOR UPDATE")  # who takes it over waits
            run = whole.of(of)
            end = handing.asked_end(wall_s, wall_s + ahead_s)
            if opened.close(of, run.epoch, end):
                return Asked(None, wall_s, is_anew=False)
            if run.owner is None or run.owner.is_gone:
                return Asked(None, wall_s, is_anew=False) if handing.end(of, end) else None
            before = noted.asked_at(of, run.epoch)
            if before is None:
                kept.note(db, of.run, "asked to end", [run.epoch, wall_s + ahead_s])
        return Asked(run.owner, wall_s if before is None else before - ahead_s, is_anew=before is not None)
