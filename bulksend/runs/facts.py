"""What a plan is made of: whatever changes what is sent, to whom, or in whose name."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from bulksend.model import Duplicates, Endpoint
from bulksend.sending import Keys
from bulksend.words import listed

if TYPE_CHECKING:
    from bulksend.planning import PlanOptions  # who reads a run plans nothing

_RANDOM = re.compile("[0-9a-f]{32}")  # what a campaign's id looks like that nobody gave


class Address(NamedTuple):
    """Where a plan goes, apart from the key.

    Attributes:
        org_id: the organization's id.
        base_url: the API's address; empty for a private sandbox, which has a new one each time.
    """

    org_id: int
    base_url: str

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing that is sent there reaches a phone: it is a private sandbox."""
        return not self.base_url


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody says a campaign is to be; None where nothing is said.

    Attributes:
        input_digest: SHA-256 of the input's bytes, hexadecimal.
        sender: sender id of rows without one of their own.
        template: text of rows without one of their own.
        mapping: (field, column name) pairs.
        only: (column, value) pairs of the rows that are not left out.
        skip: (column, value) pairs of the rows that are left out.
        country: whose numbers those without dialing code are.
        new_prefixes: whether numbers count whose prefix no numbering plan here knows.
        reading: how the input is read: encoding, delimiter, sheet; None where that is to be found out.
        header_row: the line of the sheet that names its columns; None where that is to be found out.
        visible_only: whether rows are left out that the sheet does not show.
        gsm: whether typographic characters are replaced.
        duplicates: what is done with rows that repeat another.
        one_per_number: whether each recipient gets one message only.
        countries: ISO codes of those that may be texted.
        exclusion: digest of the lists of those left out.
        endpoint: which of the API's twins.
        org_id: the organization's id.
        base_url: the API's address; empty for a private sandbox.
        campaign: what the dedup keys begin with.
    """

    input_digest: str | None = None
    sender: str | None = None
    template: str | None = None
    mapping: tuple[tuple[str, str], ...] | None = None
    only: tuple[tuple[str, str], ...] | None = None
    skip: tuple[tuple[str, str], ...] | None = None
    country: str | None = None
    new_prefixes: bool | None = None
    reading: tuple[str | None, str | None, str | None] | None = None
    header_row: int | None = None
    visible_only: bool | None = None
    gsm: bool | None = None
    duplicates: str | None = None
    one_per_number: bool | None = None
    countries: tuple[str, ...] | None = None
    exclusion: str | None = None
    endpoint: str | None = None
    org_id: int | None = None
    base_url: str | None = None
    campaign: str | None = None

    @classmethod
    def of(
        cls, options: PlanOptions, *, org_id: int | None, base_url: str | None, campaign: str | None,
        input_digest: str | None = None,
    ) -> Terms:  # fmt: skip
        """What options say."""
        reading = (options.reading.encoding, options.reading.delimiter, options.reading.sheet)
        return cls(
            input_digest=input_digest,
            sender=options.sender,
            template=options.message,
            mapping=options.mapping or None,
            only=options.only or None,
            skip=options.skip or None,
            country=options.country,
            new_prefixes=options.new_prefixes,
            reading=reading if any(reading) else None,
            header_row=options.reading.header_row,
            visible_only=options.reading.visible_only or None,
            gsm=options.gsm,
            duplicates=options.duplicates,
            one_per_number=options.one_per_number,
            countries=options.countries or None,
            exclusion=options.exclusions.digest or None,
            endpoint=options.endpoint,
            org_id=org_id,
            base_url=base_url,
            campaign=campaign,
        )


class Term(NamedTuple):
    """One of the terms.

    Attributes:
        name: its name in `Terms` and `Facts`.
        another: in words, that it is not as it was.
        default: what a new plan takes if nothing is said.
    """

    name: str
    another: str
    default: object


TERMS = (
    Term("input_digest", "another content of the input", ""),
    Term("sender", "another sender", None),
    Term("template", "another message", None),
    Term("mapping", "other columns named for its fields", ()),
    Term("only", "another choice of rows to keep", ()),
    Term("skip", "another choice of rows to leave out", ()),
    Term("country", "another country of its numbers", None),
    Term("new_prefixes", "another choice about new prefixes", False),
    Term("reading", "another encoding, delimiter or sheet of the input", (None, None, None)),
    Term("header_row", "another line of the sheet that names its columns", None),
    Term("visible_only", "another choice about rows that the sheet does not show", False),
    Term("gsm", "another choice about typographic characters", False),
    Term("duplicates", "another choice about rows that repeat another", Duplicates.SEND.value),
    Term("one_per_number", "another choice about several messages to one phone", False),
    Term("countries", "other countries that may be texted", ()),
    Term("exclusion", "another list of those to leave out", ""),
    Term("endpoint", "another endpoint", Endpoint.CONTACT.value),
    Term("org_id", "another organization", 0),
    Term("base_url", "another server", ""),
    Term("campaign", "another campaign id", ""),
)
"""All terms, once."""


def in_words(changed: Iterable[Term]) -> str:
    """What is otherwise, such as: another sender and another message."""
    return listed([term.another for term in changed])


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan was made of; the names of `Terms`, settled, and those of the input.

    Attributes:
        input_name: the input file's name, or "-" for standard input.
        columns: the input's own column names, in order.
        org_id: 0 as long as that is open.
        plan_id: tells this plan from any other.
        is_shared: whether somebody gave the campaign's id, so that another run may have it.
        keys_by_row: whether dedup keys are made of row numbers, as before format 3.
        instead_of: what tells the files whose place it took, whose messages it has carried over.
    """

    input_name: str
    input_digest: str
    columns: tuple[str, ...]
    sender: str | None
    template: str | None
    mapping: tuple[tuple[str, str], ...]
    only: tuple[tuple[str, str], ...]
    skip: tuple[tuple[str, str], ...]
    country: str | None
    new_prefixes: bool
    reading: tuple[str | None, str | None, str | None]
    header_row: int | None
    visible_only: bool
    gsm: bool
    duplicates: str
    one_per_number: bool
    exclusion: str
    endpoint: str
    org_id: int
    base_url: str
    campaign: str
    plan_id: str
    is_shared: bool
    keys_by_row: bool
    instead_of: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @property
    def address(self) -> Address:
        """Where the messages go."""
        return Address(self.org_id, self.base_url)

    @property
    def replaced(self) -> frozenset[str]:
        """The ids of the plans whose place it took."""
        return frozenset(key.partition(" ")[0] for key in self.instead_of)

    @property
    def keys(self) -> Keys:
        """Makes the messages' dedup keys."""
        return Keys(self.campaign, self.is_shared, self.keys_by_row)

    @classmethod
    def new(cls, input_name: str, columns: tuple[str, ...], terms: Terms) -> Facts:
        """Those of a new plan; a campaign id that is not said is random."""
        said = {term.name: value_of(terms, term) for term in TERMS}
        return cls(
            input_name=os.fsencode(input_name).decode(errors="replace"),
            columns=columns,
            plan_id=uuid.uuid4().hex,
            is_shared=terms.campaign is not None,
            keys_by_row=False,
            **said | {"campaign": terms.campaign or uuid.uuid4().hex},  # type: ignore[arg-type]
        )

    @classmethod
    def read(cls, kept: Mapping[str, object]) -> Facts:
        """Those that were kept; a term that an earlier version did not have is at its default."""
        of_format_2 = {"is_shared": not _RANDOM.fullmatch(str(kept["campaign"])), "keys_by_row": True}
        known = {term.name: term.default for term in TERMS} | {"instead_of": ()} | of_format_2 | dict(kept)
        return cls(**{field.name: known[field.name] for field in fields(cls)})  # type: ignore[arg-type]

    def differences(self, said: Terms, *, unsaid_is_default: bool) -> Iterator[Term]:
        """The terms that are said to be other than they were planned.

        Args:
            said: what is said now.
            unsaid_is_default: whether a term of which nothing is said means its default, as for an input that is
                planned with options; otherwise it means whatever was planned. A campaign id always means that.
        """
        for term in TERMS:
            value = getattr(said, term.name)
            if value is None and (not unsaid_is_default or term.name == "campaign"):
                continue
            if value_of(said, term) != getattr(self, term.name):
                yield term


def value_of(terms: Terms, term: Term) -> object:
    """What the terms say of one, or its default."""
    value = getattr(terms, term.name)
    return term.default if value is None else value
