"""Runs bulksend by a clock that a test sets: ``python clocks.py FILE ARGUMENT...``; FILE says how far it is ahead.

What is written into FILE while it runs is the clock being set, or the machine standing still, as seen from within.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def main() -> None:
    """Set the clock before anything is loaded that reads it."""
    right, ahead = time.time, Path(sys.argv[1])
    time.time = lambda: right() + float(ahead.read_text(encoding="ascii"))
    from bulksend.cli import main as program  # noqa: PLC0415 -- see above

    sys.argv = ["bulksend", *sys.argv[2:]]
    program()


if __name__ == "__main__":
    main()
