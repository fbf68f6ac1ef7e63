"""Inputs read whole, for the tests of readers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from bulksend.cli.advice import advised
from bulksend.errors import InputError
from bulksend.planning.reading import ReadOptions, Source

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Reading:
    columns: list[str]
    rows: list[list[str]]
    flaws: dict[int, str]
    notes: list[str]


def read(path: Path, options: ReadOptions | None = None) -> Reading:
    source = Source(str(path), options or ReadOptions())
    try:
        reader = source.reader()
        rows: list[list[str]] = []
        flaws: dict[int, str] = {}
        for batch in reader.batches():
            flaws |= {len(rows) + place: flaw for place, flaw in batch.flaws.items()}
            rows += batch.rows
        assert source.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
        return Reading(reader.columns, rows, flaws, [note.says for note in source.notes])
    finally:
        source.close()


def cells(path: Path, content: bytes, options: ReadOptions | None = None) -> list[list[str]]:
    path.write_bytes(content)
    reading = read(path, options)
    assert not reading.flaws
    return reading.rows


def refusal(path: Path, content: bytes, options: ReadOptions | None = None) -> str:
    """What the command line says, after the file's name, when it refuses this content as a whole."""
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read(path, options)
    assert str(error.value).startswith(f"{path}: ")
    told = advised(error.value)
    assert "\n" not in told
    return told.removeprefix(f"{path}: ")
