"""What a run has sent is carried over into another plan of its input, in the same database: the SQL.

A message that was sent, or may have been, goes to the row with its recipient, and stays what it was: its text and price
are those that left, whatever the input says by now, which is kept beside them. Equal messages are found first; so each
row that was not sent is still its own. Whoever is in the input no more gets a row behind its last one. What was refused
stays refused where it is the same; all else is planned anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from bulksend.runs import life
from bulksend.runs.postgres.columns import NUMBER
from bulksend.runs.postgres.compared import WHO, do
from bulksend.runs.postgres.connecting import Db, one
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State

_CHANGED = "sent before its row was changed, with the text of then"
_GONE = "sent before the input was changed: it has no such row any more"
_FACTS = ("turn", "keyed", "limited", "results", "schedule")
_SENDS = (
    "state, attempts, started_at, ended_at, doubt_since, decision, ticket, epoch, shard, proof, http_status, answer, "
    "charged, error"
)
_REACHED = f"({life.may_have_arrived('s.')} OR s.state = '{State.SKIPPED}')"
_REFUSED = f"s.state = '{State.REJECTED}'"
_KNOWN_AS = f"coalesce(n.phone, {WHO.format('m.')})"
_WERE = f"message m LEFT JOIN send s ON s.run = m.run AND s.row = m.row {NUMBER} WHERE m.run = {{old}}"

_FIND = f"""
INSERT INTO fact SELECT {{new}}, name, value FROM fact WHERE run = {{old}} AND name IN {_FACTS}
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value;
INSERT INTO number SELECT {{new}}, contact, phone FROM number WHERE run = {{old}};
CREATE TEMP TABLE whom AS SELECT DISTINCT {_KNOWN_AS} AS who FROM {_WERE} AND ({_REACHED} OR {_REFUSED});
ANALYZE whom;
CREATE TEMP TABLE was AS
SELECT m.row, {_KNOWN_AS} AS who, m.sender, m.text, coalesce({_REACHED}, false) AS reached,
    coalesce({_REFUSED}, false) AS refused
FROM {_WERE} AND m.status = 'pending' AND {_KNOWN_AS} IN (SELECT who FROM whom);
CREATE TEMP TABLE now AS
SELECT m.row, {_KNOWN_AS} AS who, m.sender, m.text, m.status = 'pending' AS sends
FROM message m {NUMBER}
WHERE m.run = {{new}} AND m.status IN ('pending', 'skipped') AND {_KNOWN_AS} IN (SELECT who FROM whom);
UPDATE was SET sender = c.sender, text = c.text FROM carried c WHERE c.run = {{old}} AND c.row = was.row;
ANALYZE was;
ANALYZE now;
"""
_MATCH = """
CREATE TEMP TABLE moves (was bigint PRIMARY KEY, now bigint UNIQUE);
INSERT INTO moves SELECT w.row, n.row FROM
    (SELECT *, row_number() OVER (PARTITION BY who, sender, text ORDER BY reached DESC, refused DESC, row) AS nth
        FROM was) w
    JOIN (SELECT *, row_number() OVER (PARTITION BY who, sender, text ORDER BY row) AS nth FROM now WHERE sends) n
    ON n.who = w.who AND n.text = w.text AND n.sender IS NOT DISTINCT FROM w.sender AND n.nth = w.nth;
INSERT INTO moves SELECT w.row, n.row FROM
    (SELECT row, who, row_number() OVER (PARTITION BY who ORDER BY row) AS nth
        FROM was WHERE reached AND row NOT IN (SELECT was FROM moves)) w
    JOIN (SELECT row, who, row_number() OVER (PARTITION BY who ORDER BY sends DESC, row) AS nth
        FROM now WHERE row NOT IN (SELECT now FROM moves)) n
    ON n.who = w.who AND n.nth = w.nth;
INSERT INTO moves
SELECT row, (SELECT max(row) FROM message WHERE run = {new}) + row_number() OVER (ORDER BY row)
FROM was WHERE reached AND row NOT IN (SELECT was FROM moves);
DELETE FROM moves WHERE was IN (SELECT row FROM was WHERE NOT reached AND NOT refused);
ANALYZE moves;
"""
_ADDED = "SELECT count(*) FROM moves LEFT JOIN message m ON m.run = %s AND m.row = moves.now WHERE m.row IS NULL"
_TAKEN_UP = """
SELECT m.row, m.error FROM moves JOIN message m ON m.run = %s AND m.row = moves.now WHERE m.status = 'skipped'
"""
_MOVE = f"""
INSERT INTO carried SELECT {{new}}, moves.now, m.status, m.phone, m.contact, m.sender, m.text
FROM moves LEFT JOIN message m ON m.run = {{new}} AND m.row = moves.now;
UPDATE message m SET status = 'pending', phone = o.phone, contact = o.contact, shard = o.shard, sender = o.sender,
    text = o.text, encoding = o.encoding, parts = o.parts, price = o.price,
    error = CASE WHEN m.text = o.text AND m.sender IS NOT DISTINCT FROM o.sender THEN '' ELSE '{_CHANGED}' END
FROM moves JOIN message o ON o.run = {{old}} AND o.row = moves.was WHERE m.run = {{new}} AND m.row = moves.now;
INSERT INTO send (run, row, {_SENDS})
SELECT {{new}}, moves.now, {_SENDS} FROM moves JOIN send s ON s.run = {{old}} AND s.row = moves.was;
"""
_GONE_ROWS = """
SELECT moves.now, moves.was, o.cells FROM moves JOIN message o ON o.run = %s AND o.row = moves.was
JOIN carried c ON c.run = %s AND c.row = moves.now WHERE c.status IS NULL
"""
_ADD_GONE = f"""
INSERT INTO message (run, row, status, phone, contact, shard, sender, text, encoding, parts, price, error, cells)
SELECT %s, gone.now, 'pending', o.phone, o.contact, o.shard, o.sender, o.text, o.encoding, o.parts, o.price, '{_GONE}',
    gone.cells
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS gone (now, was, cells)
JOIN message o ON o.run = %s AND o.row = gone.was
"""
_NOTE = f"""
INSERT INTO receipt SELECT {{new}}, moves.now, r.to_telco, r.to_phone, r.error, r.charged
FROM receipt r JOIN moves ON moves.was = r.row WHERE r.run = {{old}};
UPDATE send SET error = m.error FROM moves JOIN message m ON m.run = {{new}} AND m.row = moves.now
WHERE send.run = {{new}} AND send.row = moves.now AND coalesce(send.error, '') IN ('', '{_CHANGED}', '{_GONE}');
"""
# The keys of what was tried stay, and what is equal and was not gets others.
_COUNT_COPIES = f"""
DELETE FROM alike WHERE row IN (SELECT row FROM now);
INSERT INTO copy SELECT {{new}}, moves.now, c.copy FROM moves JOIN copy c ON c.run = {{old}} AND c.row = moves.was;
CREATE TEMP TABLE most AS
SELECT {WHO.format("m.")} AS who, m.sender, m.text, max(coalesce(c.copy, 0)) + 1 AS copies
FROM moves JOIN message m ON m.run = {{new}} AND m.row = moves.now LEFT JOIN copy c ON c.run = m.run AND c.row = m.row
GROUP BY 1, 2, 3;
INSERT INTO copy SELECT {{new}}, row, before FROM (
    SELECT m.row, coalesce(most.copies, 0) - 1
        + row_number() OVER (PARTITION BY {WHO.format("m.")}, m.sender, m.text ORDER BY m.row) AS before
    FROM now JOIN message m ON m.run = {{new}} AND m.row = now.row
    LEFT JOIN most ON most.who = {WHO.format("m.")} AND most.text = m.text AND most.sender IS NOT DISTINCT FROM m.sender
    WHERE m.status = 'pending' AND m.row NOT IN (SELECT now FROM moves)
) AS counted WHERE before > 0;
DELETE FROM repeat WHERE run = {{new}} AND row IN (SELECT row FROM now);
CREATE TEMP TABLE theirs AS SELECT m.phone, m.contact, m.row, m.parts FROM message m
WHERE m.run = {{new}} AND m.status = 'pending' AND m.row IN (SELECT row FROM now UNION SELECT now FROM moves);
INSERT INTO repeat (run, phone, contact, row, parts) SELECT {{new}}, t.phone, t.contact, t.row, t.parts FROM theirs t
WHERE {WHO.format("t.")} IN (SELECT {WHO.format("")} FROM theirs GROUP BY 1 HAVING count(*) > 1);
DROP TABLE whom, was, now, moves, most, theirs
"""


def carry_over(plan: Reader, before: int, columns: Sequence[str], now: Sequence[str]) -> tuple[int, dict[int, str]]:
    """Carry over what a run has sent, or may have, into a plan, inside the caller's transaction.

    Returns how many rows the plan has more, which its input does not have, and which of it are not skipped any more,
    each with why it was.

    Args:
        plan: where it goes.
        before: the run.
        columns: its input's columns.
        now: the plan's.
    """
    db = plan.db
    runs = {"old": before, "new": plan.run}
    do(db, (_FIND + _MATCH).format(**runs))
    (added,) = one(db.execute(_ADDED, [plan.run]))
    taken_up: dict[int, str] = dict(db.execute(_TAKEN_UP, [plan.run]).fetchall())
    do(db, _MOVE.format(**runs))
    _add_gone(db, plan.run, before, columns, now)
    do(db, (_NOTE + _COUNT_COPIES).format(**runs))
    return added, taken_up


def _add_gone(db: Db, plan: int, before: int, columns: Sequence[str], now: Sequence[str]) -> None:
    """Add the rows that the input does not have any more, with their cells in its columns of now."""
    places = [columns.index(name) if name in columns else None for name in now]
    found = db.execute(_GONE_ROWS, [before, plan]).fetchall()
    cells = []
    for *_, kept in found:
        own = orjson.loads(kept)
        cells.append(orjson.dumps([None if place is None else own[place] for place in places]).decode())
    db.execute(_ADD_GONE, [plan, [row for row, *_ in found], [was for _, was, _ in found], cells, before])
