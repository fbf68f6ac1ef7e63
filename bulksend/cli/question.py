"""What is about to happen, as a question; and that the answer was no."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from bulksend import campaign
from bulksend.campaign import SendOptions
from bulksend.cli import plan_view, summary
from bulksend.planning import Plan
from bulksend.runs import OwnRun
from bulksend.words import many


def question_of(run: OwnRun, plan: Plan, how: SendOptions, start: str = "") -> str:
    """What is about to happen, as a question; empty if nothing is to go out.

    Rows in doubt are settled where that is safe: repeated under a key that the server knows, or looked up.

    Args:
        run: what is sent.
        plan: what is left of it.
        how: how it is sent.
        start: from when on, in words; empty for at once.
    """
    rows, tally = plan.overview.rows, plan.tally
    if not rows:
        return ""
    repeats = campaign.repeats_max(run, tally, rows, how)
    settle = f" and settle {many(repeats, 'row')} in doubt" if repeats else ""
    again = f", {tally.resent:,} of them once more," if tally.resent and how.limit is None else ""
    where = " to a private sandbox, as a rehearsal" if run.facts.address.is_rehearsal else ""
    return f"Send {many(rows, 'message')}{again}{where} ({plan_view.price_of(plan.overview)}){start}{settle}?"


@contextmanager
def tells_a_no(*, as_json: bool) -> Iterator[None]:
    """Tell a script as well that a question was answered with no."""
    try:
        yield
    except click.exceptions.Exit as declined:
        if as_json:
            summary.write_end({"exit": declined.exit_code, "reason": "nothing was sent: the answer was no"})
        raise
