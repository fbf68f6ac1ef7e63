"""How the messages of a plan differ from those of an earlier one, which is attached to its file as ``old``: the SQL.

Messages are the same that have recipient, sender and text in common, wherever they stand. Of the others, those to the
same recipient belong together, and then those of the same row. Only what differs at its place is sorted, by SQLite, on
the disk: a sheet in which little was corrected costs one pass.
"""

from __future__ import annotations

import sqlite3

from bulksend.runs.edits import Edits

_AS_PLANNED = "SELECT row, status, recipient, sender, text FROM old.messages"
# Of what was carried over from another plan: what the input said when it was, and no row that it had no more.
_AS_SAID = f"""
SELECT * FROM ({_AS_PLANNED}) WHERE row NOT IN (SELECT row FROM old.carried)
UNION ALL SELECT row, status, recipient, sender, text FROM old.carried WHERE status IS NOT NULL
"""
_ALIKE = """(m.status = 'pending' AND o.status = 'pending'
    AND m.recipient = o.recipient AND m.sender IS o.sender AND m.text = o.text
    OR m.status <> 'pending' AND o.status <> 'pending'
    OR 'skipped' IN (m.status, o.status) AND m.recipient = o.recipient)"""  # who is left out by now is no edit
_DIFFERENT = """
CREATE TEMP TABLE {name} (row INTEGER PRIMARY KEY, sends INTEGER, recipient, sender, text);
INSERT INTO {name} SELECT m.row, m.status = 'pending', m.recipient, m.sender, m.text
FROM {these} m LEFT JOIN {others} o ON o.row = m.row WHERE o.row IS NULL OR NOT {alike};
"""
_PAIRED = """
CREATE TEMP TABLE {name} (was INTEGER PRIMARY KEY, now INTEGER);
INSERT INTO {name} SELECT w.row, n.row FROM
    (SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY row) AS nth FROM was WHERE sends) w
    JOIN (SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY row) AS nth FROM now WHERE sends) n
    ON n.recipient = w.recipient AND n.nth = w.nth {also};
DELETE FROM was WHERE row IN (SELECT was FROM {name});
DELETE FROM now WHERE row IN (SELECT now FROM {name});
"""
_SAME = "AND n.sender IS w.sender AND n.text = w.text"
_COUNTS = """
SELECT (SELECT count(*) FROM by_whom), (SELECT count(*) FROM was JOIN now USING (row) WHERE was.sends OR now.sends),
    (SELECT count(*) FROM now LEFT JOIN was USING (row) WHERE now.sends AND was.row IS NULL),
    (SELECT count(*) FROM was LEFT JOIN now USING (row) WHERE was.sends AND now.row IS NULL),
    (SELECT count(*) FROM the_same)
"""


def edits(db: sqlite3.Connection) -> Edits:
    """Compare the plan in the file with that of ``old``."""
    do(db, f"CREATE TEMP VIEW before AS {_AS_SAID if has_carried(db) else _AS_PLANNED}")
    for name, these, others in (("was", "before", "main.messages"), ("now", "main.messages", "before")):
        do(db, _DIFFERENT.format(name=name, these=these, others=others, alike=_ALIKE))
    do(db, _PAIRED.format(name="the_same", by="recipient, sender, text", also=_SAME))
    do(db, _PAIRED.format(name="by_whom", by="recipient", also=""))
    by_whom, by_row, new, gone, moved = db.execute(_COUNTS).fetchone()
    do(db, "".join(f"DROP TABLE {name};" for name in ("was", "now", "the_same", "by_whom")) + "DROP VIEW before;")
    return Edits(by_whom + by_row, new, gone, moved)


def has_carried(db: sqlite3.Connection) -> bool:
    """Whether messages of ``old`` were carried over from another plan, so that they are not what the input says."""
    return db.execute("SELECT 1 FROM old.sqlite_master WHERE name = 'carried'").fetchone() is not None


def do(db: sqlite3.Connection, script: str) -> None:
    """Statement by statement, inside the caller's transaction: a script would end it."""
    for statement in script.split(";"):
        db.execute(statement)
