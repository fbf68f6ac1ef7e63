"""What a person has chosen, as a campaign and its send take it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from bulksend.errors import Question
from bulksend.python import Campaign, SendOptions
from bulksend.web.drafts import Draft, Pairs

_REPEAT = frozenset({Question.SENT_BEFORE.value, Question.LOST.value})
_FORCE = frozenset({Question.NETWORK.value, Question.HOME.value, Question.FILES.value})
_DAY_S = 86_400.0


def campaign_of(draft: Draft) -> Campaign:
    """The campaign that a draft means."""
    return Campaign(
        draft.input_name,
        message=draft.message or None,
        sender=draft.sender or None,
        columns=draft.mapping,
        sheet=draft.sheet or None,
        only=_by_column(draft.only),
        skip=_by_column(draft.skip),
        country=draft.country or None,
        countries=draft.countries,
        gsm=draft.gsm,
        exclude=draft.lists,
        duplicates="skip" if draft.skips_repeats else None,
        one_per_number=draft.one_per_number,
    )


def options_of(draft: Draft, answers: Collection[str] = ()) -> SendOptions:
    """How a draft is sent.

    Args:
        draft: it.
        answers: what is said yes to beforehand, as `bulksend.errors.Question` has it.

    Raises:
        UsageError: something of it cannot be.
    """
    counts: Literal["parts", "messages"] = "messages" if draft.cap_counts == "messages" else "parts"
    return SendOptions(
        repeat=draft.repeats or not _REPEAT.isdisjoint(answers),
        force=not _FORCE.isdisjoint(answers),
        max_cost_micro=draft.max_cost or None,
        not_within_s=draft.not_within * _DAY_S or None,
        exclude_dead=draft.exclude_dead,
        caps=draft.cap,
        cap_counts=counts,
        wait=True,
    )


def _by_column(pairs: Pairs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column, value in pairs:
        found.setdefault(column, []).append(value)
    return found
