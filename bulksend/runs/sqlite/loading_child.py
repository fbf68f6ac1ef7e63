"""The process that writes a large plan's rows, so that one core plans and another writes.

It gets the draft's name, and rows on its standard input (`loading_messages`). It commits them once it is told that
these are all, and says so. If its input ends before, whoever plans is gone, and it goes too: what it has written is no
whole plan, and has no run's name. See `loading_process` for the other end.
"""

from __future__ import annotations

import gc
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bulksend.runs.sqlite.inserting import insert
from bulksend.runs.sqlite.loading_messages import KEPT, NO_MORE, read, tell_end

_UNFIT = 3
_CUT_OFF = 4


def main() -> None:
    """Write rows until there are no more."""
    gc.disable()  # rows form no cycles
    try:
        with closing(sqlite3.connect(Path(sys.argv[1]).as_uri(), uri=True, isolation_level=None)) as db:
            # As whoever plans has it: a plan that was cut off is thrown away whole.
            db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN IMMEDIATE;")
            while (columns := read(sys.stdin.buffer)) != NO_MORE:
                if columns is None:
                    sys.exit(_CUT_OFF)
                insert(db, columns)
            db.execute("COMMIT")
    except sqlite3.Error as error:
        tell_end(sys.stdout.buffer, type(error).__name__, str(error))
        sys.exit(_UNFIT)
    tell_end(sys.stdout.buffer, KEPT)


if __name__ == "__main__":
    main()
