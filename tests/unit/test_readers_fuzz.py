from __future__ import annotations

import gzip
import io
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from conftest import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reading import BOM, read

from bulksend.errors import InputError

GOLDEN = Path(__file__).parents[1] / "golden"
WORKBOOKS = [path.read_bytes() for path in sorted(GOLDEN.glob("*.[xo][ld]s*"))]
TEXTS = [path.read_bytes() for path in sorted(GOLDEN.glob("*.csv"))] + [
    b"sep=;\nto;message\n1;a\n",
    b'{"to": "639171234567", "n": 1.5, "x": [null, "\\u0000"]}\n{"to": 2}\n',
    "to|message\n1|ñ\n".encode("utf-32"),
]
PACKED = [gzip.compress(text, mtime=0) for text in TEXTS]
ENDINGS = st.sampled_from(["csv", "jsonl", "json", "xlsx", "gz", "x"])
SETTINGS = settings(
    max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[None]:
    """The Rust in python-calamine writes its panics to the process's own standard error."""
    with tempfile.TemporaryFile(dir=tmp_path) as silence:
        kept = os.dup(2)
        sys.stderr.flush()
        os.dup2(silence.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def rows_or_one_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        reading = read(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- any sentence will do, but on one line
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 -- see above
        return
    width = len(reading.columns)
    assert all(len(cells) == width for place, cells in enumerate(reading.rows) if place not in reading.flaws)
    assert not any("\0" in "".join(row) for place, row in enumerate(reading.rows) if place not in reading.flaws)
    assert not any("\n" in sentence for sentence in [*reading.flaws.values(), *reading.notes])
    orjson.dumps(reading.rows)  # they go into the run file as JSON


def harmed(files: list[bytes]) -> st.SearchStrategy[bytes]:
    """Files with some bytes cut out, put in, overwritten, or with their end cut off."""
    harm = st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=8))

    def harm_all(content: bytes, harms: list[tuple[float, int, bytes]]) -> bytes:
        for where, gone, new in harms:
            place = int(where * len(content))
            content = content[:place] + new + content[place + gone :]
        return content

    mended = st.builds(harm_all, st.sampled_from(files), st.lists(harm, max_size=4))
    cut = st.builds(lambda content, size: content[: int(size * len(content))], st.sampled_from(files), st.floats(0, 1))
    return mended | cut


@SETTINGS
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [b"to", b",", b";", b"\t", b'"', b"\n", b"\r", b" ", b"{", b"}", b":", b'"a"', b"[", b"sep=", b"\0"]
            )
            | st.sampled_from(
                [b"\xff", b"\xc3", b"\xb1", b"\x81", BOM, b"\xff\xfe", b"\xfe\xff", b"PK\3\4", b"\x1f\x8b"]
            )
        ).map(b"".join),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers(-(2**63), 2**64 - 1) | st.text("añ\0\n", max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("añ\0", max_size=3), inner, max_size=2),
            max_leaves=5,
        ).map(orjson.dumps),
    ),
    ending=ENDINGS,
)
@example(content=b'\xef\xbb\xbf"', ending="csv")
@example(content=b"{" * 2_000, ending="jsonl")
def test_whatever_bytes_come_there_are_rows_or_one_sentence(tmp_path: Path, content: bytes, ending: str) -> None:
    rows_or_one_sentence(tmp_path / f"campaign.{ending}", content)


@SETTINGS
@given(content=harmed(TEXTS), ending=ENDINGS)
def test_however_a_text_is_harmed_there_are_rows_or_one_sentence(tmp_path: Path, content: bytes, ending: str) -> None:
    rows_or_one_sentence(tmp_path / f"campaign.{ending}", content)


@SETTINGS
@given(content=harmed(PACKED), ending=ENDINGS)
def test_however_a_gzip_file_is_harmed_there_are_rows_or_one_sentence(
    tmp_path: Path, content: bytes, ending: str
) -> None:
    rows_or_one_sentence(tmp_path / f"campaign.{ending}", content)


def harmed_within() -> st.SearchStrategy[bytes]:
    """Workbooks that are whole as zip files, with one of the files in them harmed."""

    def packed(book: bytes, harmed_member: tuple[str, bytes]) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(made, "w") as new:
            for name in old.namelist():
                new.writestr(name, harmed_member[1] if name == harmed_member[0] else old.read(name))
        return made.getvalue()

    def of(book: bytes) -> st.SearchStrategy[bytes]:
        with zipfile.ZipFile(io.BytesIO(book)) as archive:
            members = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}
        one = st.sampled_from(sorted(members)).flatmap(lambda name: st.tuples(st.just(name), harmed([members[name]])))
        return st.builds(packed, st.just(book), one)

    return st.one_of([of(book) for book in WORKBOOKS if book.startswith(b"PK")])


@pytest.mark.usefixtures("quiet")
@SETTINGS
@given(content=harmed_within())
def test_whatever_a_workbook_holds_there_are_rows_or_one_sentence(tmp_path: Path, content: bytes) -> None:
    rows_or_one_sentence(tmp_path / "campaign.xlsx", content)


@pytest.mark.usefixtures("quiet")
@SETTINGS
@given(content=harmed(WORKBOOKS), ending=ENDINGS)
def test_however_a_workbook_is_harmed_there_are_rows_or_one_sentence(
    tmp_path: Path, content: bytes, ending: str
) -> None:
    rows_or_one_sentence(tmp_path / f"campaign.{ending}", content)
