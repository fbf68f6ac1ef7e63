"""What a run keeps of itself as a whole, read from the JSON that every store keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bulksend.errors import Advice, Remark, Severity
from bulksend.model import Status
from bulksend.planning import Example, Findings, Reason
from bulksend.rules import Rule
from bulksend.runs.ends import CUT_OFF, End, Spell
from bulksend.runs.facts import Facts


def facts(kept: Mapping[str, Any]) -> Facts:
    """What the plan was made of."""
    found = dict(kept)
    found["columns"] = tuple(found["columns"])
    for pairs in ("mapping", "only", "skip"):
        found[pairs] = tuple((column, value) for column, value in found.get(pairs, ()))
    found["reading"] = tuple(found["reading"])
    found["countries"] = tuple(found.get("countries", ()))
    found["instead_of"] = tuple(found.get("instead_of", ()))
    return Facts.read(found)


def findings(kept: Mapping[str, Any]) -> Findings:
    """What planning found."""
    reasons = tuple(
        Reason(
            Status(each["status"]),
            each["says"],
            each["rows"],
            tuple(Example(**one) for one in each["examples"]),
            _advice(each),
        )
        for each in kept["reasons"]
    )
    notes, warnings = (tuple(map(_remark, kept[name])) for name in ("notes", "warnings"))
    marked = (kept.get(name, 0) for name in ("longest", "dearest"))
    return Findings(reasons, notes, warnings, kept["rates"], *marked)


def counts(kept: Mapping[str, int]) -> dict[Status, int]:
    """How many rows the plan has of each status."""
    return {Status(status): rows for status, rows in kept.items()}


def spell(started: Sequence[Any], ended: Sequence[Any] | None, epoch: int, *, is_held: bool) -> Spell:
    """From when to when a run was sent.

    Args:
        started: when that began for the first time, and the epoch in which it did last.
        ended: the epoch that last ended in order, and its end; None if none did.
        epoch: how often the run was taken over.
        is_held: whether it is still being sent, as far as can be seen.
    """
    first, sent_epoch = started
    end_epoch, *end = ended or [0]
    if end_epoch == sent_epoch:
        return Spell(first, End(*end))
    return Spell(first, End(CUT_OFF) if not is_held or epoch != sent_epoch else End(*end) if end else None)


def _remark(value: Any) -> Remark:
    """A remark; in format 2 of run files it was a bare sentence."""
    if isinstance(value, str):
        return Remark(value, None)
    severity = Severity(value.get("severity", Severity.NOTE))
    rule = Rule(value["rule"]) if value.get("rule") in set(Rule) else None
    about, quotes = value.get("about", {}), tuple(value.get("quotes", ()))
    return Remark(value["says"], rule, _advice(value), severity, about, quotes)


def _advice(value: Mapping[str, Any]) -> Advice | None:
    return Advice(value["advice"]) if value.get("advice") else None
