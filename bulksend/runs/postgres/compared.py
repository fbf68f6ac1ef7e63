"""How the messages of a plan differ from those of an earlier one in the same database: the SQL.

Messages are the same that have recipient, sender and text in common, wherever they stand. Of the others, those to the
same recipient belong together, and then those of the same row. Only what differs at its place is sorted.
"""

from __future__ import annotations

from bulksend.runs.edits import Edits
from bulksend.runs.postgres.connecting import Db, one
from bulksend.runs.postgres.reader import Reader

WHO = "coalesce({0}phone, 'c' || {0}contact)"
"""Whom a row goes to, in one word: no number begins with a letter."""

# Of what was carried over from another plan: what the input said when it was, and no row that it had no more.
_BEFORE = f"""
SELECT row, status, {WHO.format("")} AS who, sender, text FROM message m WHERE run = {{run}}
    AND NOT EXISTS (SELECT FROM carried c WHERE c.run = m.run AND c.row = m.row)
UNION ALL SELECT row, status, {WHO.format("")}, sender, text FROM carried WHERE run = {{run}} AND status IS NOT NULL
"""
_NOW = f"SELECT row, status, {WHO.format('')} AS who, sender, text FROM message WHERE run = {{run}}"
_ALIKE = """(m.status = 'pending' AND o.status = 'pending'
    AND m.who = o.who AND m.sender IS NOT DISTINCT FROM o.sender AND m.text = o.text
    OR m.status <> 'pending' AND o.status <> 'pending'
    OR 'skipped' IN (m.status, o.status) AND m.who = o.who)"""  # who is left out by now is no edit
_DIFFERENT = f"""
CREATE TEMP TABLE {{name}} AS
SELECT m.row, m.status = 'pending' AS sends, m.who, m.sender, m.text
FROM ({{these}}) m LEFT JOIN ({{others}}) o ON o.row = m.row WHERE o.row IS NULL OR ({_ALIKE}) IS NOT TRUE;
ANALYZE {{name}};
"""
_PAIRED = """
CREATE TEMP TABLE {name} AS SELECT w.row AS was, n.row AS now FROM
    (SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY row) AS nth FROM was WHERE sends) w
    JOIN (SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY row) AS nth FROM now WHERE sends) n
    ON n.who = w.who AND n.nth = w.nth {also};
DELETE FROM was WHERE row IN (SELECT was FROM {name});
DELETE FROM now WHERE row IN (SELECT now FROM {name});
"""
_SAME = "AND n.sender IS NOT DISTINCT FROM w.sender AND n.text = w.text"
_COUNTS = """
SELECT (SELECT count(*) FROM by_whom), (SELECT count(*) FROM was JOIN now USING (row) WHERE was.sends OR now.sends),
    (SELECT count(*) FROM now LEFT JOIN was USING (row) WHERE now.sends AND was.row IS NULL),
    (SELECT count(*) FROM was LEFT JOIN now USING (row) WHERE was.sends AND now.row IS NULL),
    (SELECT count(*) FROM the_same)
"""


def edits(plan: Reader, before: int) -> Edits:
    """Compare a plan with that of a run, inside the caller's transaction."""
    db = plan.db
    was, now = _BEFORE.format(run=before), _NOW.format(run=plan.run)
    for name, these, others in (("was", was, now), ("now", now, was)):
        do(db, _DIFFERENT.format(name=name, these=these, others=others))
    do(db, _PAIRED.format(name="the_same", by="who, sender, text", also=_SAME))
    do(db, _PAIRED.format(name="by_whom", by="who", also=""))
    by_whom, by_row, new, gone, moved = one(db.execute(_COUNTS))
    do(db, "DROP TABLE was, now, the_same, by_whom")
    return Edits(by_whom + by_row, new, gone, moved)


def do(db: Db, script: str) -> None:
    """Statement by statement."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)
