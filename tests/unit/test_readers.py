from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import os
import subprocess
import sys
import termios
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from reading import BOM, cells, refusal

from bulksend.errors import Advice, InputError, UsageError
from bulksend.planning.reading import Reader, ReadOptions, Source, shown


def rows_of(reader: Reader) -> list[list[str]]:
    return [cells for batch in reader.batches() for cells in batch.rows]


# ---- what is no input ----


@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl", "campaign"])
@pytest.mark.parametrize(
    "content",
    [b"", BOM, b"\n", b" \r\n\t\n  ", BOM + b"\n\n", b"\n" * 3_000_000, gzip.compress(b""), b"\xff\xfe"],
    ids=["nothing", "BOM", "line", "blanks", "BOM and lines", "3 MB of lines", "gzip", "UTF-16 BOM"],
)
def test_an_empty_input_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    assert refusal(tmp_path / name, content) == "the input is empty; it needs a header line and rows"


def test_blank_lines_at_the_beginning_do_not_make_an_input_empty(tmp_path: Path) -> None:
    assert cells(tmp_path / "campaign.csv", b"\n" * 200_000 + b"to,message\n1,a\n") == [["1", "a"]]


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return packed.getvalue()


@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl", "campaign.xlsx", "campaign"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7", "this is a PDF file; save the sheet as .xlsx or CSV and send that"),
        (b"\x89PNG\r\n\x1a\n\0\0", "this is a picture, not a table"),
        (b"\xff\xd8\xff\xe0", "this is a picture, not a table"),
        (b"\x28\xb5\x2f\xfd\0", "this is a zstd file; unpack it and send what is in it"),
        (b"\xfd7zXZ\0", "this is an xz file; unpack it and send what is in it"),
        (b"BZh91AY&SY", "this is a bzip2 file; unpack it and send what is in it"),
        (b"Rar!\x1a\x07", "this is a packed archive; unpack it and send what is in it"),
        (b"SQLite format 3\0", "this is a SQLite database, not a table"),
        (b"{\\rtf1", "this is a text document (RTF); save the sheet as .xlsx or CSV and send that"),
        (b"\n<HTML><table>", "this is a web page or XML, whatever its name says; open it in a spreadsheet program, "),
        (BOM + b"<?xml version", "this is a web page or XML, whatever its name says; "),
        (bytes(range(256)), "this is no text file; bulksend reads CSV, JSONL, .xlsx and .ods"),
        (b"PK\x03\x04rest", "the file is broken or cut short: it begins as an Excel or zip file does, "),
        (zipped("campaign.csv"), "this is a zip file or a document that is no spreadsheet; unpack it, or save "),
        (zipped("word/document.xml"), "this is a zip file or a document that is no spreadsheet; unpack it, or save "),
        (zipped(), "this is a zip file or a document that is no spreadsheet; unpack it, or save "),
        (b"\x1f\x8b\x08rest", "the gzip file is broken or cut short; download or pack it again"),
    ],
)
def test_what_is_no_table_is_refused_by_its_kind(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    assert refusal(tmp_path / name, content).startswith(says)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        Source(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="this is a folder, not a file"):
        Source(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        Source(str(tmp_path / "file" / "campaign.csv"))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that cannot be read is needed")
def test_a_file_that_cannot_be_read_is_told_in_a_sentence() -> None:
    with pytest.raises(InputError, match=r"^/proc/self/mem: cannot be read: Input/output error$"):
        Source("/proc/self/mem")


def test_a_sheet_is_refused_for_what_has_none(tmp_path: Path) -> None:
    path = tmp_path / "campaign.csv"
    path.write_text("to\n1\n")
    with pytest.raises(UsageError, match="this is no workbook, so it has no sheet 'June'"):
        Source(str(path), ReadOptions(sheet="June"))


def test_no_line_of_an_error_is_broken_by_a_files_name() -> None:
    assert shown("a\nb.csv") == "a b.csv"
    with pytest.raises(InputError, match=r"^a b.csv: there is no such file$"):
        Source("a\nb.csv")


# ---- gzip ----


@pytest.mark.parametrize("name", ["campaign.csv.gz", "campaign.csv", "campaign"])
def test_packed_text_is_unpacked_on_the_way(tmp_path: Path, name: str) -> None:
    content = gzip.compress("to;message\n".encode("utf-16") + ("1;ñ\n" * 30_000).encode("utf-16-le"))
    assert cells(tmp_path / name, content) == [["1", "ñ"]] * 30_000


def test_packed_json_lines_are_told_by_the_name_within(tmp_path: Path) -> None:
    assert cells(tmp_path / "campaign.jsonl.gz", gzip.compress(b'{"to": "1"}\n')) == [["1"]]


def test_members_packed_one_after_the_other_are_one_text(tmp_path: Path) -> None:
    content = gzip.compress(b"to\n1\n") + gzip.compress(b"2\n")
    assert cells(tmp_path / "campaign.csv.gz", content) == [["1"], ["2"]]


@pytest.mark.parametrize("harm", ["cut", "garbled", "followed"])
def test_a_broken_gzip_file_is_refused(tmp_path: Path, harm: str) -> None:
    packed = gzip.compress(b"to,message\n" + b"".join(b"%d,hello\n" % number for number in range(50_000)))
    content = {
        "cut": packed[:-100],
        "garbled": packed[:50_000] + bytes(8) + packed[50_008:],
        "followed": packed + b"and more",
    }[harm]
    assert refusal(tmp_path / "x.csv.gz", content) == "the gzip file is broken or cut short; download or pack it again"


# ---- named pipes and files that change ----


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "campaign"
    os.mkfifo(pipe)
    content = b'{"to": "1"}\n' * 20_000
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    source = Source(str(pipe))
    assert rows_of(source.reader()) == [["1"]] * 20_000
    writer.join()
    assert source.digest() == hashlib.sha256(content).hexdigest()
    source.close()


def test_what_a_shell_hands_over_as_a_file_is_read() -> None:
    code = "import sys; from bulksend.planning.reading import Source; s = Source(sys.argv[1]); "
    code += "print([b.rows for b in s.reader().batches()], len(s.digest()))"
    command = f"{sys.executable} -c '{code}' <(printf 'to;message\\n1;a\\n')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "[[['1', 'a']]] 64\n"


CHANGED = "the file changed while it was read"


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite", "replace", "remove"])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path, change: str, *, is_read: bool) -> None:
    path = tmp_path / "campaign.csv"
    path.write_bytes(b"to\n" + b"1\n" * 50_000)
    os.utime(path, ns=(1, 1))
    source = Source(str(path))
    if is_read:
        rows_of(source.reader())
    other = tmp_path / "other.csv"
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(1, 1))
    if change == "append":
        with path.open("ab") as file:
            file.write(b"2\n")
    elif change == "truncate":
        os.truncate(path, 1_000)
    elif change == "rewrite":
        path.write_bytes(other.read_bytes())
    elif change == "replace":
        other.replace(path)
    else:
        path.unlink()
    with pytest.raises(InputError) as error:
        source.digest()
    assert (str(error.value), error.value.advice) == (f"{path}: {CHANGED}", Advice.RUN_AGAIN)
    source.close()


def test_a_file_that_is_only_read_by_others_too_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "campaign.csv"
    path.write_bytes(b"to\n1\n")
    source = Source(str(path))
    rows_of(source.reader())
    path.read_bytes()
    path.chmod(0o600)
    assert source.digest() == hashlib.sha256(b"to\n1\n").hexdigest()
    source.close()


# ---- standard input ----


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BufferedWriter]:
    """A pipe to standard input."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, encoding="utf-8") as reading, os.fdopen(write_end, "wb") as writing:
        monkeypatch.setattr(sys, "stdin", reading)
        yield writing


def read_stdin(content: bytes, stdin: io.BufferedWriter) -> tuple[list[str], list[list[str]], str]:
    stdin.write(content)
    stdin.close()
    source = Source("-")
    reader = source.reader()
    rows = rows_of(reader)
    source.close()
    assert not sys.stdin.closed
    return reader.columns, rows, source.digest()


@pytest.mark.parametrize("content", [b"to,message\n1,a\n", BOM + b"to,message\n1,a\n", b"\nto,message\n1,a\n"])
def test_standard_input_is_csv_unless_it_looks_like_json(content: bytes, stdin: io.BufferedWriter) -> None:
    columns, rows, digest = read_stdin(content, stdin)
    assert (columns, rows) == (["to", "message"], [["1", "a"]])
    assert digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b'{"to": "1"}\n', BOM + b'{"to": "1"}\n', b'\n  {"to": "1"}\n'])
def test_standard_input_is_json_lines_if_it_starts_with_a_brace(content: bytes, stdin: io.BufferedWriter) -> None:
    columns, rows, digest = read_stdin(content, stdin)
    assert (columns, rows) == (["to"], [["1"]])
    assert digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_empty_standard_input_is_refused_by_its_name(content: bytes, stdin: io.BufferedWriter) -> None:
    with pytest.raises(InputError, match="standard input: the input is empty"):
        read_stdin(content, stdin)


def test_standard_input_that_comes_in_pieces_is_read_to_its_end(stdin: io.BufferedWriter) -> None:
    pieces = [b"t", b"o,mes", b"sage\n1,", b'"a\n', b'b"\n']

    def write() -> None:
        for piece in pieces:
            stdin.write(piece)
            stdin.flush()
            time.sleep(0.01)
        stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    source = Source("-")
    rows = rows_of(source.reader())
    writer.join()
    assert rows == [["1", "a\nb"]]
    assert source.digest() == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_a_first_piece_of_blank_lines_does_not_make_standard_input_empty(stdin: io.BufferedWriter) -> None:
    def write() -> None:
        stdin.write(b"\n")
        stdin.flush()
        time.sleep(0.05)
        stdin.write(b"to\n1\n")
        stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        source = Source("-")
        assert rows_of(source.reader()) == [["1"]]
    finally:
        writer.join()


def test_no_standard_input_at_all_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # as `bulksend send - <&-` has it
    with pytest.raises(InputError):
        Source("-")


def test_packed_standard_input_is_unpacked_even_if_its_first_byte_comes_alone(stdin: io.BufferedWriter) -> None:
    content = gzip.compress(b"to;message\n1;a\n")

    stdin.write(content[:1])
    stdin.flush()

    def write() -> None:
        while int.from_bytes(fcntl.ioctl(sys.stdin, termios.FIONREAD, bytes(4)), sys.byteorder):
            pass  # until the first byte is taken
        stdin.write(content[1:])
        stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    source = Source("-")
    assert rows_of(source.reader()) == [["1", "a"]]
    writer.join()
    assert source.digest() == hashlib.sha256(content).hexdigest()


def test_a_json_array_on_standard_input_is_refused(stdin: io.BufferedWriter) -> None:
    with pytest.raises(InputError, match=r"^standard input: this is one JSON array; one object a line is needed"):
        read_stdin(b'[{"to": "1"}]', stdin)


# ---- digest and streaming ----


@pytest.mark.parametrize("rows_read", [None, 0, 1, 3])
@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl"])
def test_the_digest_is_of_all_bytes_however_much_was_read(tmp_path: Path, name: str, rows_read: int | None) -> None:
    path = tmp_path / name
    line = b"639171234567,hello\n" if name.endswith("csv") else b'{"to": "639171234567"}\n'
    path.write_bytes((b"to,message\n" if name.endswith("csv") else b"") + line * 50_000)
    source = Source(str(path))
    if rows_read is not None:
        batches = source.reader().batches()
        for _ in range(rows_read):
            next(batches)
    assert source.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
    source.close()


@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl"])
def test_batches_are_read_only_as_they_are_asked_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    line = b"639171234567,hello\n" if name.endswith("csv") else b'{"to": "639171234567"}\n'
    path.write_bytes((b"to,message\n" if name.endswith("csv") else b"") + line * 100_000)
    source = Source(str(path))
    batches = source.reader().batches()
    first = len(next(batches).rows)
    assert 0 < first <= 10_000
    assert source._file._file.tell() < path.stat().st_size // 4
    assert first + sum(len(batch.rows) for batch in batches) == 100_000
    source.close()
