"""Rows that the server had accepted before, under a campaign's id that another sheet or machine has used as well."""

from __future__ import annotations

from collections.abc import Sequence

from bulksend.campaign.choices import Repeating
from bulksend.campaign.lookback import AT_ONCE, Looking, named
from bulksend.runs import Command, Got, History, OwnRun
from bulksend.sending import DEDUP_MEMORY_S, accepted_before


def explain_known(run: OwnRun, history: History, how: Repeating, since_s: float) -> int:
    """Say of such rows from which run they were accepted; of how many history does not know it.

    Args:
        run: the run.
        history: the account's.
        how: when the command was given.
        since_s: since when the server said so, in seconds since 1970.
    """
    looking, after, unknown = Looking(run, history, how), 0, 0
    plan_id = run.facts.plan_id

    def sender(text: int, got: Sequence[Got]) -> Command | None:
        """The first of the other runs' commands that sent a text, of those whose keys the server may still know."""
        commands = [looking.commands[each.command] for each in got if each.text == text]
        others = [each for each in commands if each.plan_id != plan_id]
        recent = [each for each in others if how.began_at - each.began_at < DEDUP_MEMORY_S]
        return min(recent, key=lambda each: each.began_at, default=None)

    while some := run.known(since_s, after, AT_ONCE):
        after = some[-1][0]
        got = looking.got([each[:4] for each in some])
        senders = [sender(*got[place]) if place in got else None for place in range(len(some))]
        unknown += senders.count(None)
        by = [
            (row, accepted_before(message_id, f"from {named(command)}"))
            for (row, *_, message_id), command in zip(some, senders, strict=True)
            if command is not None
        ]
        if by:
            run.explain(by)
    return unknown
