"""Those to be left out: opt-out lists, and whoever an earlier run reached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bulksend.errors import InputError, Remark, Why
from bulksend.model import PhoneNumber, Recipient
from bulksend.planning.exclusion_columns import IS_FOREIGN, ListedColumn
from bulksend.planning.exclusion_list import ExclusionList
from bulksend.planning.looks import recipient_names
from bulksend.planning.reading import ReadOptions, Source
from bulksend.rules import Rule
from bulksend.sms import phones
from bulksend.words import printable


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Who is left out.

    Attributes:
        recipients: their numbers and contact ids; of a phone with several numbers the canonical one too.
        digest: of what they come from, hexadecimal; empty if nobody was named.
        notes: how the lists were understood, where that was found out.
        warnings: what stands in them and leaves nobody out.
    """

    recipients: frozenset[Recipient] = field(default=frozenset(), repr=False)
    digest: str = ""
    notes: tuple[Remark, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        recipients: Iterable[Recipient],
        digests: Iterable[str],
        notes: Iterable[Remark],
        warnings: Iterable[str] = (),
    ) -> Exclusions:
        """Those of files or runs with these digests."""
        found = set(recipients)
        found |= {phones.canonical(who) for who in found if isinstance(who, str)}
        together = "".join(sorted(digests))
        digest = hashlib.sha256(together.encode()).hexdigest() if together else ""
        return cls(frozenset(found), digest, tuple(notes), tuple(warnings))

    def __or__(self, other: Exclusions) -> Exclusions:
        """Both together."""
        if not (self.digest and other.digest):
            return self if self.digest else other
        return Exclusions.of(
            self.recipients | other.recipients,
            [self.digest, other.digest],
            self.notes + other.notes,
            self.warnings + other.warnings,
        )

    def has(self, recipient: Recipient | None, code: str) -> bool:
        """Whether somebody with this dialing code is left out, by this number or another one of the phone."""
        return recipient in self.recipients or (
            phones.has_others(code) and phones.canonical(PhoneNumber(str(recipient))) in self.recipients
        )


def read_numbers(cells: Sequence[str], country: str | None, *, new_prefixes: bool = False) -> Exclusions:
    """Read single numbers as `read_exclusions` does; every one must be one.

    Raises:
        InputError: one is none.
    """
    column = ListedColumn("to", 1, country, new_prefixes=new_prefixes)
    read = column.add(cells, 1)
    for place, cell in enumerate(cells):
        if place not in read:
            why = column.unread.why if column.unread else Why("it says nothing")
            raise InputError(f"{printable(cell, 60)!r} is no phone number: {why.says}", why.advice)
    warnings = [f"{column.foreign}: {IS_FOREIGN}"] if column.foreign.rows else []
    return Exclusions.of(column.numbers, (), (), warnings)


def read_exclusions(paths: Sequence[Path], country: str | None, *, new_prefixes: bool = False) -> Exclusions:
    """Read opt-out lists: the numbers in all columns that hold such.

    Args:
        paths: spreadsheets of any kind that can be sent, or plain lists of numbers without a header. Contact ids are
            read from a column ``contactId``.
        country: whose numbers those without "+" or "00" are.
        new_prefixes: whether numbers count whose prefix no numbering plan here knows.

    Raises:
        InputError: a file cannot be read, has rows but no number, or a cell that should be a number and is none:
            whoever that is must not get a message.
    """
    recipients: set[Recipient] = set()
    digests: list[str] = []
    notes: list[Remark] = []
    warnings: list[str] = []
    for path in paths:
        if path.is_file() and not path.stat().st_size:
            notes.append(Remark(f"{path}: this list of those to leave out is empty", Rule.EXCLUDE_LIST))
            digests.append(hashlib.sha256().hexdigest())
            continue
        source = Source(str(path), ReadOptions(may_lack_header=True))
        try:
            reader = source.reader(recipient_names(()))
            listed = ExclusionList(source.name, reader, country, new_prefixes=new_prefixes).read()
            digests.append(source.digest())
            listed_notes = [Remark(says, Rule.EXCLUDE_LIST) for says in listed.notes]
            notes += [replace(note, says=f"{path}: {note.says}", about={}) for note in (*source.notes, *listed_notes)]
            warnings += [f"{path}: {warning}" for warning in listed.warnings]
        finally:
            source.close()
        recipients |= listed.recipients
    return Exclusions.of(recipients, digests, notes, warnings)
