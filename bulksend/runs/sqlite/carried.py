"""What a run has sent is carried over into another plan of its input: the SQL. The run is attached as ``old``.

A message that was sent, or may have been, goes to the row with its recipient, and stays what it was: its text and price
are those that left, whatever the input says by now, which is kept beside them. Equal messages are found first; so each
row that was not sent is still its own. Whoever is in the input no more gets a row behind its last one. What was refused
stays refused where it is the same; all else is planned anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson

from bulksend.runs import life
from bulksend.runs.sqlite import receipts
from bulksend.runs.sqlite.compared import do, has_carried
from bulksend.runs.sqlite.queries import NUMBER
from bulksend.runs.states import State

_TABLE = """
CREATE TABLE main.carried (  -- rows whose message was sent before the input was changed
    row INTEGER PRIMARY KEY, status TEXT, recipient, sender TEXT, text TEXT  -- what the input says, NULL: no such row
)
"""
_CHANGED = "sent before its row was changed, with the text of then"
_GONE = "sent before the input was changed: it has no such row any more"
_FACTS = ("turn", "dedup proven", "keyed", "limited", "clock", "highest clock", "results", "schedule")
_SENDS = (
    "state, attempts, started_at, ended_at, doubt_since, decision, ticket, proof, http_status, answer, charged, error"
)
_WHO = f"{{0}} m LEFT JOIN old.sends s ON s.row = m.row {NUMBER.format('m')}"
_REACHED = f"({life.may_have_arrived('s.')} OR s.state = '{State.SKIPPED}')"
_REFUSED = f"s.state = '{State.REJECTED}'"

_FIND = f"""
INSERT OR REPLACE INTO main.facts SELECT name, value FROM old.facts WHERE name IN {_FACTS};
INSERT INTO main.numbers SELECT * FROM old.numbers;
CREATE TEMP TABLE whom (who PRIMARY KEY) WITHOUT ROWID;
INSERT OR IGNORE INTO whom SELECT coalesce(n.number, m.recipient) FROM {_WHO.format("old.messages")}
WHERE {_REACHED} OR {_REFUSED};
CREATE TEMP TABLE was (row INTEGER PRIMARY KEY, who, sender, text, reached, refused);
INSERT INTO was SELECT m.row, coalesce(n.number, m.recipient), m.sender, m.text, coalesce({_REACHED}, 0),
    coalesce({_REFUSED}, 0)
FROM {_WHO.format("old.messages")} WHERE m.status = 'pending' AND coalesce(n.number, m.recipient) IN whom;
CREATE TEMP TABLE now (row INTEGER PRIMARY KEY, who, sender, text, sends);
INSERT INTO now SELECT m.row, coalesce(n.number, m.recipient), m.sender, m.text, m.status = 'pending'
FROM main.messages m {NUMBER.format("m")}
WHERE m.status IN ('pending', 'skipped') AND coalesce(n.number, m.recipient) IN whom;
"""
# What was carried over before is compared by what the input said of it then.
_AS_SAID = "UPDATE was SET sender = c.sender, text = c.text FROM old.carried c WHERE c.row = was.row"
_MATCH = """
CREATE TEMP TABLE moves (was INTEGER PRIMARY KEY, now INTEGER UNIQUE);
INSERT INTO moves SELECT w.row, n.row FROM
    (SELECT *, row_number() OVER (PARTITION BY who, sender, text ORDER BY reached DESC, refused DESC, row) AS nth
        FROM was) w
    JOIN (SELECT *, row_number() OVER (PARTITION BY who, sender, text ORDER BY row) AS nth FROM now WHERE sends) n
    ON n.who = w.who AND n.text = w.text AND n.sender IS w.sender AND n.nth = w.nth;
INSERT INTO moves SELECT w.row, n.row FROM
    (SELECT row, who, row_number() OVER (PARTITION BY who ORDER BY row) AS nth
        FROM was WHERE reached AND row NOT IN (SELECT was FROM moves)) w
    JOIN (SELECT row, who, row_number() OVER (PARTITION BY who ORDER BY sends DESC, row) AS nth
        FROM now WHERE row NOT IN (SELECT now FROM moves)) n
    ON n.who = w.who AND n.nth = w.nth;
INSERT INTO moves SELECT row, (SELECT max(row) FROM main.messages) + row_number() OVER (ORDER BY row)
FROM was WHERE reached AND row NOT IN (SELECT was FROM moves);
DELETE FROM moves WHERE was IN (SELECT row FROM was WHERE NOT reached AND NOT refused);
"""
_ADDED = "SELECT count(*) FROM moves WHERE now NOT IN (SELECT row FROM main.messages)"
_TAKEN_UP = "SELECT m.row, m.error FROM moves JOIN main.messages m ON m.row = moves.now WHERE m.status = 'skipped'"
_MOVE = f"""
INSERT INTO main.carried SELECT moves.now, m.status, m.recipient, m.sender, m.text
FROM moves LEFT JOIN main.messages m ON m.row = moves.now;
UPDATE main.messages SET status = 'pending', recipient = o.recipient, sender = o.sender, text = o.text,
    encoding = o.encoding, parts = o.parts, price = o.price,
    error = CASE WHEN messages.text = o.text AND messages.sender IS o.sender THEN '' ELSE '{_CHANGED}' END
FROM moves JOIN old.messages o ON o.row = moves.was WHERE messages.row = moves.now;
INSERT INTO main.sends (row, {_SENDS}) SELECT moves.now, {_SENDS} FROM moves JOIN old.sends s ON s.row = moves.was;
"""
_GONE_ROWS = """
SELECT moves.now, o.recipient, o.sender, o.text, o.encoding, o.parts, o.price, o.cells
FROM moves JOIN old.messages o ON o.row = moves.was JOIN main.carried c ON c.row = moves.now WHERE c.status IS NULL
"""
_ADD_GONE = f"INSERT INTO main.messages VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, '{_GONE}', ?)"
_NOTE = f"""
UPDATE main.sends SET error = m.error FROM moves JOIN main.messages m ON m.row = moves.now
WHERE sends.row = moves.now AND coalesce(sends.error, '') IN ('', '{_CHANGED}', '{_GONE}')
"""
# The keys of what was tried stay, and what is equal and was not gets others.
_COUNT_COPIES = """
DELETE FROM alike WHERE row IN (SELECT row FROM now);
INSERT INTO main.copies SELECT moves.now, c.copy FROM moves JOIN old.copies c ON c.row = moves.was;
CREATE TEMP TABLE most AS SELECT m.recipient, m.sender, m.text, max(coalesce(c.copy, 0)) + 1 AS copies
FROM moves JOIN main.messages m ON m.row = moves.now LEFT JOIN main.copies c ON c.row = m.row GROUP BY 1, 2, 3;
INSERT INTO main.copies SELECT row, before FROM (
    SELECT m.row, coalesce(most.copies, 0) - 1
        + row_number() OVER (PARTITION BY m.recipient, m.sender, m.text ORDER BY m.row) AS before
    FROM now JOIN main.messages m ON m.row = now.row
    LEFT JOIN most ON most.recipient = m.recipient AND most.text = m.text AND most.sender IS m.sender
    WHERE m.status = 'pending' AND m.row NOT IN (SELECT now FROM moves)
) WHERE before > 0;
DELETE FROM main.repeats WHERE row IN (SELECT row FROM now);
CREATE TEMP TABLE theirs AS SELECT m.recipient, m.row, m.parts FROM main.messages m
WHERE m.status = 'pending' AND m.row IN (SELECT row FROM now UNION SELECT now FROM moves);
INSERT INTO main.repeats SELECT * FROM theirs
WHERE recipient IN (SELECT recipient FROM theirs GROUP BY recipient HAVING count(*) > 1);
"""
_TABLES = ("whom", "was", "now", "moves", "most", "theirs")


class Moved(NamedTuple):
    """What a plan's rows became by what was carried over.

    Attributes:
        added: rows that the input does not have any more.
        taken_up: rows that were planned as skipped, and why.
    """

    added: int
    taken_up: dict[int, str]


def carry_over(db: sqlite3.Connection, before: Sequence[str], now: Sequence[str]) -> Moved:
    """Carry over what ``old`` has sent, or may have, into the plan in the file, inside the caller's transaction.

    Args:
        db: the plan's connection.
        before: the input's columns as they were.
        now: and as they are.
    """
    do(db, f"{_TABLE}; {_FIND}")
    if has_carried(db):
        db.execute(_AS_SAID)
    do(db, _MATCH)
    moved = Moved(db.execute(_ADDED).fetchone()[0], dict(db.execute(_TAKEN_UP)))
    do(db, _MOVE)
    db.executemany(_ADD_GONE, _gone(db, before, now))
    receipts.carry_over(db)
    do(db, f"{_NOTE}; {_COUNT_COPIES}")
    do(db, "".join(f"DROP TABLE {name};" for name in _TABLES))
    return moved


def _gone(db: sqlite3.Connection, before: Sequence[str], now: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """The rows that the input does not have any more, with their cells in its columns of now."""
    places = [before.index(name) if name in before else None for name in now]
    for *message, cells in db.execute(_GONE_ROWS):
        own = orjson.loads(cells)
        yield *message, orjson.dumps([None if place is None else own[place] for place in places]).decode()
