"""Rows that may have been accepted: looked up in the API's list, sent again on somebody's word, or left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from bulksend.campaign.clients import client
from bulksend.engagespark import Looked, SmsApi, Target, read_back_to
from bulksend.engagespark import look_up as look_up_rows
from bulksend.errors import Advice, Question, UndecidedError, UsageError
from bulksend.model import RowInDoubt, Status
from bulksend.runs import Account, OwnRun
from bulksend.sending import Journal
from bulksend.words import many

_LOOKED_UP_MAX = 100_000  # rows; if there are more, the rest was not looked for
_LOOK_UP_S = 20.0


class LookedUp(NamedTuple):
    """What became of rows in doubt, as far as it could be seen.

    Attributes:
        rows: how many were looked for.
        found: how many of them are in the list: they were accepted, and are noted as that.
        looked: how the looking went; only of what was looked through can it be said that the rest is not there.
        contested: how many look like a message in the list that somebody else may have caused: they stay in doubt.
    """

    rows: int
    found: int
    looked: Looked
    contested: int = 0


async def look_up_doubts(journal: Journal, api: SmsApi) -> LookedUp:
    """Look in the API's list for the rows in doubt, and note those found."""
    rows = await journal.in_doubt(_LOOKED_UP_MAX)
    since_s = read_back_to(rows)
    taken, rivals = await journal.message_ids(since_s), await journal.rivals(since_s)
    seen = await look_up_rows(api, rows, taken, _LOOK_UP_S, rivals)
    await journal.found(seen.found, time.time())
    is_whole = len(rows) < _LOOKED_UP_MAX or seen.looked is not Looked.THROUGH
    looked = seen.looked if is_whole else Looked.IN_PART
    return LookedUp(len(rows), len(seen.found), looked, len(seen.contested))


async def look_up(run: OwnRun, target: Target, account: Account | None = None) -> LookedUp:
    """Look up what became of a run's rows in doubt.

    Args:
        run: the run; stays with the caller.
        target: where it was sent to.
        account: what outlives it, and hears what was found.

    Raises:
        RunFileError: the run cannot be written.
    """
    began = time.time()
    journal = run.journal(by_parts=True, limit=None)
    try:
        async with client(target, _LOOK_UP_S) as api:
            seen = await look_up_doubts(journal, api)
    finally:
        journal.close()
    if account is not None:
        account.history.absorb(run, since_s=began)
    return seen


def may_be_resent(run: OwnRun, looked: Looked, *, unseen: bool) -> list[RowInDoubt]:
    """The rows in doubt that somebody may have sent again: of those who are to get something at all.

    Args:
        run: the run.
        looked: how looking them up went.
        unseen: whether they may be although it could not be looked up whether they were accepted.

    Raises:
        UsageError: the run has rows that were never sent, which come first.
        UndecidedError: they could not be looked up.
    """
    statuses = run.tally().statuses
    if statuses[Status.PENDING] or statuses[Status.FAILED]:
        raise UsageError(f"{run.place}: this run has rows that were never sent", Advice.FINISH_FIRST, run=run.place)
    rows = [row for row in run.in_doubt() if not row.is_excluded]
    if rows and not looked.is_answer and not unseen:
        raise UndecidedError(
            f"{run.place}: the API's list could not be read ({looked.value}), so that nobody knows which of "
            f"{many(len(rows), 'message')} in doubt were accepted",
            Question.UNSEEN,
        )
    return rows


def decide(run: OwnRun, rows: Sequence[RowInDoubt], *, resend: bool) -> None:
    """Settle rows in doubt by somebody's word: they are to be sent again, or stay unknown for good."""
    run.decide([row.row for row in rows], resend=resend)
