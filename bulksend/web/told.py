"""What the page's child tells: a line of JSON each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import orjson


@dataclass(frozen=True, slots=True)
class SheetSeen:
    """How a sheet is understood.

    Attributes:
        columns: its columns, in order.
        numbers: the column of the numbers; empty if that has to be said.
        asks: why it has to be said.
        own_texts: the column of the rows' own texts; empty if there is none.
        rows: the first rows.
        lines: their lines in the sheet.
        hidden: places of those that the workbook does not show.
        notes: what was found out, in sentences.
        codeless: one of these numbers that has no country code; empty if all have.
        sheet: of a workbook, the sheet that is read; else empty.
        sheets: the sheets that could be read instead, with it.
    """

    columns: tuple[str, ...]
    numbers: str
    asks: str
    own_texts: str
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    hidden: tuple[int, ...]
    notes: tuple[str, ...]
    codeless: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Priced:
    """What a draft comes to.

    Attributes:
        rows: messages.
        parts: SMS parts of them.
        micro: micro-USD, as far as prices are known.
        unpriced: messages without a known price.
        left_out: rows that are not sent.
    """

    rows: int
    parts: int
    micro: int
    unpriced: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Made:
    """A plan is kept.

    Attributes:
        run: the place of its run.
        balance: micro-USD that the account holds; None if that is not known.
        recharges: whether the account recharges itself.
        looked: why the balance is not known, as `bulksend.engagespark.Looked` has it; empty if it is, or nobody asked.
        same: messages that are left out, for their phones got the very same of late.
        again: messages whose phones got the same before, and get it again.
        another: messages whose phones got another one within 7 days.
        late: that the moment has passed before which it was not to be sent; empty if it has not.
    """

    run: str
    balance: int | None = None
    recharges: bool = False
    looked: str = ""
    same: int = 0
    again: int = 0
    another: int = 0
    late: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a send stands.

    Attributes:
        says: what is going on beside it: a key of the words; empty for nothing.
        rows: messages that are to be sent.
        sent: of these, so many are accepted.
        not_sent: of these, so many are done with, and not accepted.
        pace: messages accepted a second, lately.
        left_s: how long it still takes; None if nobody can tell.
        until_s: until when it waits for its time, in seconds since 1970; None if it does not.
        zone: by whose clock people are told of that.
        workers: so many are at work on it, if it is left to workers.
    """

    says: str = ""
    rows: int = 0
    sent: int = 0
    not_sent: int = 0
    pace: float = 0.0
    left_s: float | None = None
    until_s: float | None = None
    zone: str = ""
    workers: int = 0

    def saying(self, says: str, until_s: float | None = None, zone: str = "") -> Moved:
        """The same figures, while something else is going on."""
        return replace(self, says=says, until_s=until_s, zone=zone)

    def after(self, sent: int, not_sent: int) -> Moved:
        """The same, of a run of which so many rows were done before."""
        rows = self.rows + sent + not_sent
        return replace(self, rows=rows, sent=self.sent + sent, not_sent=self.not_sent + not_sent)


@dataclass(frozen=True, slots=True)
class Over:
    """A send has ended; how, stands in its run."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It could not be done.

    Attributes:
        says: why, for people.
        question: what somebody has to say yes to first, as `bulksend.errors.Question` has it; empty for nothing.
    """

    says: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a trial.

    Attributes:
        row: the row whose text it is.
        phone: whose phone it went to.
        state: a `Status`.
        error: what went wrong; empty for nothing.
        charged: micro-USD by the API's own words, or None.
    """

    row: int
    phone: str
    state: str
    error: str
    charged: int | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Receipts were asked for; what they tell stands in the run.

    Attributes:
        could_look: whether the API was asked for all that is not known.
    """

    could_look: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows in doubt were looked up.

    Attributes:
        found: so many were accepted.
        decided: on so many was decided.
        in_doubt: so many are in doubt yet.
    """

    found: int
    decided: int
    in_doubt: int


Told = SheetSeen | Priced | Made | Moved | Over | Tried | Fetched | Settled | Refused
_KINDS = (SheetSeen, Priced, Made, Moved, Over, Tried, Fetched, Settled, Refused)
_TOLD: dict[str, type[Told]] = {kind.__name__: kind for kind in _KINDS}


def written(what: Told) -> bytes:
    """The line of it."""
    return orjson.dumps({"kind": type(what).__name__, "what": asdict(what)}) + b"\n"


def told_in(line: bytes) -> Told:
    """What a line tells."""
    found = orjson.loads(line)
    return _TOLD[found["kind"]](**found["what"])
