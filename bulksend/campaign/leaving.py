"""A run is planned here and left to workers, which send it from wherever they are."""

from __future__ import annotations

from bulksend.campaign.choices import SendOptions
from bulksend.campaign.events import Tell
from bulksend.campaign.part import open_to_workers
from bulksend.campaign.sends import begin, end
from bulksend.runs import OwnRun, account_of


def leave_to_workers(run: OwnRun, options: SendOptions, tell: Tell) -> None:
    """Open a run for workers, who begin as soon as it is closed.

    Args:
        run: the run; stays with the caller.
        options: how it is sent; how fast is each worker's own.
        tell: hears who is left out by now.

    Raises:
        UsageError: it is in no database; or a budget cannot be kept, because no price is known.
        RunFileError: the run cannot be written.
    """
    with account_of(run.place, run.facts.address) as account:  # others may be at work on other runs of it meanwhile
        begin(run, account, options, tell)
        try:
            open_to_workers(run, options, is_left=True)
        except BaseException:
            end(run, account, options)  # or the account would miss the run, and what that sent
            raise
