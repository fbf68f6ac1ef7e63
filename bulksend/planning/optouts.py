"""Who opted out, as planning asks for it; whoever keeps such a list gives it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bulksend.errors import Remark, Severity
from bulksend.model import Recipient
from bulksend.rules import Rule
from bulksend.words import many


class OptOuts(Protocol):
    """Who opted out of an account's messages; false if nobody did."""

    def __len__(self) -> int: ...

    def among(self, recipients: Sequence[Recipient | None]) -> Mapping[int, str]:
        """Those of some recipients who opted out, by any number of their phones: by place, the reason for people."""

    def unknown(self, recipients: Collection[Recipient | None]) -> int:
        """How many of some recipients are contacts whose number is not known, so that nobody can tell."""


def unchecked(rows: int) -> Remark:
    """What to say of rows to contacts whose numbers are not known, where some numbers opted out."""
    go = f"{many(rows, 'row')} {'goes' if rows == 1 else 'go'}"
    says = f"{go} to contacts whose number is not known here: they could not be checked against the opt-outs"
    return Remark(says, Rule.OPTOUT_CONTACT, severity=Severity.PERSON)
