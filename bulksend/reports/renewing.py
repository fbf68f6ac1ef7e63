"""The results of a run that goes on: what has changed since they were last written is made anew, the rest is copied.

What is right in the old file is known by the run's own notes, see `bulksend.runs.results_file`; and only as long as
nobody touched the file. The new one replaces it when it is whole, as ever.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, TextIO

from bulksend import __version__
from bulksend.errors import OwnedError, RunFileError
from bulksend.files import replacing
from bulksend.reports.results import TEXTS, Text, header_of, records_of, write_results
from bulksend.reports.whose import claim
from bulksend.runs import BLOCK, Identity, OwnRun, Written

_MANY = 100_000  # rows: fewer are written anew in a second
_CHUNK = 1 << 20  # bytes


def renew_results(run: OwnRun, path: Path) -> Path | None:
    """Write the results of a run that is one's own, and note where; otherwise as `write_results`."""
    file = run.results_file
    with suppress(RunFileError, OwnedError):  # it is somebody else's by now, or cannot be written
        file.note_place(str(path.resolve()))
    text = TEXTS.get(path.suffix.lower())
    if text is None or file.last_row < _MANY or not file.is_of_notes:
        return write_results(run, path)
    renewal = _Renewal(run, path, text)
    before = renewal.before()
    aside = None
    try:
        written = renewal.write(before) if before else None
    except _TouchedError:
        before = None
    if before is None:
        aside = claim(path, run)
        written = renewal.write(None)
    if written:
        with suppress(RunFileError, OwnedError):
            file.note(written)
    return aside


class _TouchedError(Exception):
    """The file that was copied from is not what it was, or cannot be read."""


class _Renewal:
    """One writing of results.

    Args:
        run: whose.
        path: where to.
        text: the file's format.
    """

    def __init__(self, run: OwnRun, path: Path, text: Text) -> None:
        self._run = run
        self._path = path
        self._text = text
        self._header = header_of(run)
        self._blocks = run.results_file.last_row // BLOCK + 1
        told = "\0".join((__version__, path.suffix.lower(), *self._header))
        self._form = sha256(told.encode()).hexdigest()

    def before(self) -> Written | None:
        """What stands in the file as it was last written; None if anything is not as it was then."""
        found = self._run.results_file.written
        if found is None or (found.path, found.form) != (str(self._path.resolve()), self._form):
            return None
        is_same = len(found.ends) == self._blocks + 1 and _identity(self._path) == found.identity
        return found if is_same else None

    def write(self, before: Written | None) -> Written | None:
        """Write the results; what was written, or None if somebody has replaced them already.

        Raises:
            _TouchedError: what was there before is not as it was.
        """
        with ExitStack() as stack:
            old = stack.enter_context(_opened(self._path)) if before else None
            file = stack.enter_context(replacing(self._path))
            _check(old, before)
            ends = self._write(file, old, before)
            file.flush()
            _check(old, before)
            inode = os.fstat(file.fileno()).st_ino
        found = _identity(self._path)
        if found is None or (found.inode, found.size) != (inode, ends[-1]):
            return None
        return Written(str(self._path.resolve()), self._form, found, tuple(ends))

    def _write(self, file: TextIO, old: BinaryIO | None, before: Written | None) -> list[int]:
        """Write all blocks; where the head ends, and each of them."""
        stale = self._run.results_file.stale if before else frozenset(range(self._blocks))
        self._text.head(file, self._header)
        ends = [file.tell()]
        for is_stale, which in groupby(range(self._blocks), stale.__contains__):
            blocks = list(which)
            if is_stale or old is None or before is None:
                for block in blocks:
                    rows = range(max(block * BLOCK, 1), (block + 1) * BLOCK)
                    self._text.lines(file, self._header, records_of(self._run, self._path, rows))
                    ends.append(file.tell())
            else:
                file.flush()
                moved = ends[-1] - before.ends[blocks[0]]
                _copy(old, before.ends[blocks[0]], before.ends[blocks[-1] + 1], file.buffer)
                ends += [before.ends[block + 1] + moved for block in blocks]
        return ends


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _TouchedError from error


def _check(old: BinaryIO | None, before: Written | None) -> None:
    if old and before and Identity.of(os.fstat(old.fileno())) != before.identity:
        raise _TouchedError


def _copy(old: BinaryIO, first: int, last: int, new: BinaryIO) -> None:
    while first < last:
        try:
            chunk = os.pread(old.fileno(), min(last - first, _CHUNK), first)
        except OSError as error:
            raise _TouchedError from error
        if not chunk:
            raise _TouchedError
        new.write(chunk)
        first += len(chunk)


def _identity(path: Path) -> Identity | None:
    try:
        return Identity.of(path.stat())
    except OSError:
        return None
