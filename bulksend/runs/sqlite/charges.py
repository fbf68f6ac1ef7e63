"""What a run was charged, beside what it was estimated to cost; SQLite sums it up, so that any run fits in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bulksend.runs.sqlite.file import connect, explained
from bulksend.sms import LONGEST_PREFIX, Observed, phones

# The number is the row's own, or that of its contact as far as an answer told it. What the API counted as parts counts;
# its list of messages does not tell. An answer without a price, or with one of 0, does not say what was charged.
_SENT = """
SELECT coalesce(CASE typeof(m.recipient) WHEN 'text' THEN m.recipient END, nullif(json_extract(s.answer, '$[5]'), ''),
        n.number, '') AS number,
    coalesce(nullif(json_extract(s.answer, '$[1]'), 0), m.parts) AS parts, m.price AS price,
    CASE WHEN s.charged > 0 THEN s.charged END AS charged, s.started_at AS started_at
FROM sends s JOIN messages m ON m.row = s.row
LEFT JOIN numbers n ON typeof(m.recipient) = 'integer' AND n.contact = m.recipient
WHERE s.state = 'sent'
"""

_OBSERVED = f"""
SELECT substr(number, 1, {LONGEST_PREFIX}) AS start, (charged + parts - 1) / parts AS micro, count(*),
    max(charged % parts > 0)
FROM ({_SENT}) WHERE charged IS NOT NULL GROUP BY start, micro
"""

_BY_START = f"""
SELECT substr(number, 1, 3) AS start, count(*), sum(parts), coalesce(sum(price), 0), coalesce(sum(charged), 0),
    count(*) - count(price), count(*) - count(charged)
FROM ({_SENT}) GROUP BY start
"""


@dataclass(frozen=True, slots=True)
class Charge:
    """The sent messages to one dialing code.

    Attributes:
        code: the dialing code; "" for contacts whose number no answer told.
        rows: messages.
        parts: SMS parts, as the API counted them.
        estimated: micro-USD by the plan, of the messages that had a price there.
        charged: micro-USD by the API's own words.
        unpriced: messages that had no price in the plan.
        uncharged: messages whose answer told no charge.
    """

    code: str
    rows: int
    parts: int
    estimated: int
    charged: int
    unpriced: int
    uncharged: int

    def __add__(self, other: Charge) -> Charge:
        """Both together, under this code."""
        return Charge(
            self.code,
            self.rows + other.rows,
            self.parts + other.parts,
            self.estimated + other.estimated,
            self.charged + other.charged,
            self.unpriced + other.unpriced,
            self.uncharged + other.uncharged,
        )


def charges_by_code(run: Path) -> list[Charge]:
    """What was sent, estimated and charged by dialing code, most messages first.

    Raises:
        UsageError: there is no such file, or it is no run file of this version.
        RunFileError: it cannot be read.
    """
    by_code: dict[str, Charge] = {}
    with _opened(run) as db:
        for start, *counts in db.execute(_BY_START):
            found = Charge(phones.dialing_code(start), *counts)
            by_code[found.code] = by_code[found.code] + found if found.code in by_code else found
    return sorted(by_code.values(), key=lambda charge: (-charge.rows, charge.code))


def observed_rates(run: Path) -> Iterator[Observed]:
    """What parts cost, by the beginning of the number, for `learn`; raises as `charges_by_code`."""
    with _opened(run) as db:
        for start, micro, messages, rounded in db.execute(_OBSERVED):
            yield Observed(start, micro, messages, rounded=bool(rounded))


def last_charged_at(run: Path) -> float | None:
    """When the last message was sent that was charged, in seconds since 1970; raises as `charges_by_code`."""
    with _opened(run) as db:
        found: tuple[float | None] = db.execute(
            f"SELECT max(started_at) FROM ({_SENT}) WHERE charged IS NOT NULL"
        ).fetchone()
    return found[0]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with explained(path), closing(connect(path)) as db:
        yield db
