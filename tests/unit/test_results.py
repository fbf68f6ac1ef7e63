from __future__ import annotations

import csv
import io
import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import PlannedRow, write_plan
from runfiles import CUT_OFF, begin, killed_after, notes_of, own

from bulksend.errors import UsageError
from bulksend.model import (
    Answer,
    ContactId,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Status,
)
from bulksend.planning import harmless
from bulksend.reports.columns import COLUMNS, ESTIMATE_COLUMNS, input_columns
from bulksend.reports.results import TEXTS, write_estimate, write_results, writer_for
from bulksend.runs.sqlite import SqliteRun
from bulksend.runs.telling import ResultRow

ANA = PhoneNumber("639171234567")
FORMULAS = [
    "=1+1", "=cmd|' /C calc'!A0", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1", " =1", "+1+cmd",
    "-2+3+cmd|' /C calc'!A0", '=HYPERLINK("http://evil.example","x")', "\n=1", "|x", "-A1", "+A1",
]  # fmt: skip
HARMLESS = ["+63 917 123 4567", "-5", "639", "+639171234567", "(02) 123-4567", "-5.50", "a=b", "x@y.example", "", " "]


class Run:
    """A run file with one row for each list of cells, and what becomes of them."""

    def __init__(self, folder: Path, columns: Sequence[str], rows: Sequence[PlannedRow]) -> None:
        self.path = folder / "campaign.run"
        write_plan(self.path, rows, columns=tuple(columns)).release()

    def write(self, name: str) -> Path:
        path = self.path.with_name(name)
        with SqliteRun.open(self.path) as run:
            write_results(run, path)
        return path


def pending(row: int, recipient: PhoneNumber | ContactId, cells: Sequence[str]) -> PlannedRow:
    return PlannedRow(
        row, Status.PENDING, recipient, None, "text", Encoding.UCS2, 2, MicroUSD(40_000), "", orjson.dumps(cells)
    )  # fmt: skip


def invalid(row: int, fault: str, cells: Sequence[str]) -> PlannedRow:
    return PlannedRow(row, Status.INVALID, None, None, "", None, 0, None, fault, orjson.dumps(cells))


def read_csv(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


ANSWER = Answer(
    message_id="SMS20190723T154425-123-0123",
    estimate_parts=2,
    estimate_micro=40_000,
    estimate="0.04",
    delivery_deadline="2019-07-24T13:49:16.38785625Z",
    to=ANA,
    contact_id=654321,
    charged=MicroUSD(40_000),
)


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Run]:
    """One row of each kind; the sixth is in flight, for its owner lives."""
    rows = [
        pending(1, ANA, ["639171234567", "Ana"]),
        pending(2, ContactId(7), ["", "Ben"]),
        pending(3, ANA, ["639171234567", "Ñ 😀"]),
        invalid(4, "no recipient", ["", "Cy"]),
        pending(5, ContactId(8), ["", "Di"]),
        pending(6, ANA, ["639171234567", "Ed"]),
        invalid(7, "the row has 3 cells", ["1", "a", "b"]),
        invalid(8, "line 8 is not JSON", []),
    ]
    run = Run(tmp_path, ["to", "Name"], rows)
    with own(run.path) as owned:
        notes = notes_of(owned)
        begin(notes, [1, 2, 3, 6], 1_600_000_000.25)
        notes.settle(
            [
                Outcome(row=1, event=Event.ACCEPTED, final=True, ended_at=1.0, http_status=200, answer=ANSWER),
                Outcome(row=2, event=Event.ACCEPTED, final=True, ended_at=1.0, http_status=200, answer=ANSWER),
                Outcome(row=3, event=Event.REJECTED, final=True, ended_at=1.0, http_status=400, error="=bad 'to'"),
            ],
            turn=0,
        )
        yield run


# ---- CSV ----


def test_the_columns_are_ours_in_their_order_and_then_the_inputs() -> None:
    ours = (
        "row,status,to,contactId,messageId,estimateParts,estimateMicro,estimate,deliveryDeadline,error,httpStatus,"
        "attempts,sentAt,messageSent"
    )
    assert ",".join(COLUMNS) == ours
    assert (
        ",".join(ESTIMATE_COLUMNS) == "row,status,to,contactId,encoding,estimateParts,estimateMicro,error,messageSent"
    )


def test_every_row_has_its_record_in_input_order(sent: Run) -> None:
    header, *records = read_csv(sent.write("out.csv"))
    assert header == [*COLUMNS, "input_to", "Name"]
    assert [record[0] for record in records] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    first = dict(zip(header, records[0], strict=True))
    assert first == {
        "row": "1",
        "status": "sent",
        "to": "639171234567",
        "contactId": "654321",
        "messageId": "SMS20190723T154425-123-0123",
        "estimateParts": "2",
        "estimateMicro": "40000",
        "estimate": "0.04",
        "deliveryDeadline": "2019-07-24T13:49:16.38785625Z",
        "error": "",
        "httpStatus": "200",
        "attempts": "1",
        "sentAt": "2020-09-13T12:26:40.250Z",
        "messageSent": "text",
        "input_to": "639171234567",
        "Name": "Ana",
    }


def test_a_contacts_record_has_the_number_that_the_answer_told(sent: Run) -> None:
    records = read_csv(sent.write("out.csv"))
    assert records[2][2:4] == ["639171234567", "7"]
    assert records[5][:4] == ["5", "pending", "", "8"]


def test_a_row_in_flight_is_told_as_that_while_its_owner_lives(sent: Run) -> None:
    record = dict(zip(*[read_csv(sent.write("out.csv"))[i] for i in (0, 6)], strict=True))
    assert (record["row"], record["status"], record["attempts"]) == ("6", "in flight", "1")
    assert record["error"] == "under way: its outcome is not noted yet"
    assert record["sentAt"] == ""


def test_a_row_that_was_in_flight_when_its_owner_was_killed_is_told_as_the_next_owner_will_find_it(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path, ["to"], [pending(row, ANA, ["639171234567"]) for row in (1, 2, 3)])
    killed_after(
        """
        notes = notes_of(own(path))
        begin(notes, [1], 1_600_000_000.25)
        notes.begin([2], 1_600_000_000.25)  # its SMS never left
        """,
        run.path,
    )
    header, *records = read_csv(run.write("out.csv"))
    told = [dict(zip(header, record, strict=True)) for record in records]
    assert [(each["row"], each["status"], each["attempts"], each["error"], each["sentAt"]) for each in told] == [
        ("1", "unknown", "1", CUT_OFF, ""),
        ("2", "pending", "0", "", ""),
        ("3", "pending", "0", "", ""),
    ]
    lines = run.write("out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["unknown", "pending", "pending"]
    with own(run.path, 2_000_000_000.0):
        assert read_csv(run.write("next.csv")) == [header, *records]


def test_a_bad_row_keeps_its_cells_as_far_as_there_are_columns(sent: Run) -> None:
    records = read_csv(sent.write("out.csv"))
    assert records[4][:2] + records[4][9:10] + records[4][13:] == ["4", "invalid", "no recipient", "", "", "Cy"]
    assert records[7][14:] == ["1", "a"]
    assert records[8][14:] == ["", ""]
    assert {len(record) for record in records} == {16}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path, formula: str) -> None:
    run = Run(tmp_path, [formula], [pending(1, ANA, [formula]), invalid(2, formula, [""])])
    header, first, second = read_csv(run.write("out.csv"))
    assert header[-1] == first[-1] == second[9] == f"'{formula}"


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_and_ordinary_words_are_left_alone(tmp_path: Path, text: str) -> None:
    run = Run(tmp_path, ["Cell"], [pending(1, ANA, [text])])
    assert read_csv(run.write("out.csv"))[1][-1] == text


def test_the_apis_words_are_made_harmless_too(sent: Run) -> None:
    assert read_csv(sent.write("out.csv"))[3][9] == "'=bad 'to'"


def test_the_text_as_it_left_is_made_harmless_and_whole(tmp_path: Path) -> None:
    text = "=Hi Ana,\n“50 %” off: 😀"
    run = Run(tmp_path, ["messageSent"], [pending(1, ANA, ["mine"])._replace(text=text)])
    header, record = read_csv(run.write("out.csv"))
    assert dict(zip(header, record, strict=True))["messageSent"] == f"'{text}"
    assert (header[-1], record[-1]) == ("input_messageSent", "mine")
    told = json.loads(run.write("out.jsonl").read_text(encoding="utf-8"))
    assert (told["messageSent"], told["input_messageSent"]) == (text, "mine")


CELLS = st.one_of(
    st.text(alphabet="ab=+- ,\"\r\n\0'ñ", max_size=5),
    st.integers(),
    st.floats(allow_nan=False),
    st.none(),
    st.booleans(),
)


@given(st.lists(st.tuples(CELLS, CELLS, st.text(max_size=3), st.integers()), max_size=4))
def test_a_csv_is_written_as_pythons_own_module_does(records: list[tuple[object, ...]]) -> None:
    ours, theirs = io.StringIO(), io.StringIO()
    TEXTS[".csv"].lines(ours, (), records)
    csv.writer(theirs).writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in record] for record in records
    )
    assert ours.getvalue() == theirs.getvalue()


@given(st.text(max_size=6))
def test_nothing_that_starts_a_formula_gets_through_but_numbers(text: str) -> None:
    shown = harmless(text)
    assert shown in {text, f"'{text}"}
    if shown.lstrip()[:1] in tuple("=@|"):
        pytest.fail(f"{text!r} would be run")
    if shown.lstrip()[:1] in tuple("+-"):
        assert not any(letter.isalpha() or letter in "!|*/^&'\"=" for letter in shown)


# ---- names ----


@pytest.mark.parametrize(
    ("given_names", "own"),
    [
        (["to", "Name"], ["input_to", "Name"]),
        (
            ["status", "input_status", "input_status"],
            ["input_status", "input_input_status", "input_input_input_status"],
        ),
        (["a", "a", "a"], ["a", "input_a", "input_input_a"]),
        (["", ""], ["", "input_"]),
        (["To", "STATUS"], ["To", "STATUS"]),
        ([], []),
    ],
)
def test_an_input_column_whose_name_is_taken_is_written_as_input(given_names: list[str], own: list[str]) -> None:
    assert input_columns(given_names, COLUMNS) == own


@given(st.lists(st.sampled_from(["a", "input_a", "row", "input_row", "input_input_row", ""]), max_size=8))
def test_no_name_is_ever_there_twice(names: list[str]) -> None:
    everything = [*COLUMNS, *input_columns(names, COLUMNS)]
    assert len(set(everything)) == len(everything) == len(COLUMNS) + len(names)


# ---- JSONL ----


def test_json_lines_keep_the_types(sent: Run) -> None:
    lines = sent.write("out.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert list(records[0]) == [*COLUMNS, "input_to", "Name"]
    assert len(records) == 8
    first, contact, rejected, bad, waiting, in_flight, *_ = records
    assert (first["row"], first["contactId"], first["estimateMicro"], first["attempts"]) == (1, 654321, 40_000, 1)
    assert (first["to"], first["estimate"], first["httpStatus"]) == ("639171234567", "0.04", 200)
    assert (contact["to"], contact["contactId"]) == ("639171234567", 7)
    assert (rejected["error"], rejected["messageId"], rejected["sentAt"]) == ("=bad 'to'", None, None)
    assert rejected["Name"] == "Ñ 😀"
    assert (bad["to"], bad["httpStatus"], bad["attempts"]) == (None, None, 0)
    assert (waiting["status"], waiting["to"]) == ("pending", None)
    assert in_flight["status"] == "in flight"
    assert records[7]["Name"] is None


def test_the_ending_decides_whatever_its_case(sent: Run) -> None:
    assert sent.write("out.CSV").read_bytes().startswith(b"\xef\xbb\xbfrow,")
    assert sent.write("out.JSONL").read_bytes().startswith(b'{"row":1')


@pytest.mark.parametrize("name", ["out.txt", "out", "out.xls", "out.csv.gz", ".csv"])
def test_an_unknown_ending_is_refused_with_the_known_ones(sent: Run, name: str) -> None:
    path = sent.path.with_name(name)
    with pytest.raises(UsageError, match=r"written as \.csv, \.jsonl or \.xlsx"):
        writer_for(path)
    with pytest.raises(UsageError):
        sent.write(name)
    assert not path.exists()


# ---- estimates ----


def test_an_estimate_tells_each_rows_size_and_price(tmp_path: Path) -> None:
    rows = [pending(1, ANA, ["a"]), pending(2, ContactId(7), ["b"]), invalid(3, "no recipient", ["c"])]
    rows[1] = rows[1]._replace(price=None, encoding=Encoding.GSM7)
    run = Run(tmp_path, ["error"], rows)
    path = tmp_path / "out.csv"
    with SqliteRun.open(run.path) as report:
        write_estimate(report, path)
    assert read_csv(path) == [
        [*ESTIMATE_COLUMNS, "input_error"],
        ["1", "pending", "639171234567", "", "ucs2", "2", "40000", "", "text", "a"],
        ["2", "pending", "", "7", "gsm7", "2", "", "", "text", "b"],
        ["3", "invalid", "", "", "", "", "", "no recipient", "", "c"],
    ]


# ---- the file ----


def test_results_are_for_their_owner_only(sent: Run) -> None:
    before = os.umask(0)
    try:
        path = sent.write("out.csv")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_old_results_are_replaced_whole(sent: Run) -> None:
    path = sent.path.with_name("out.csv")
    path.write_text("old" * 100_000)
    sent.write("out.csv")
    assert len(read_csv(path)) == 9
    assert sorted(file.name for file in path.parent.iterdir() if "run" not in file.name) == ["out.csv"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to tell which file is synced")
def test_results_are_on_the_disk_before_they_replace_the_old_ones(sent: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        content = Path(f"/proc/self/fd/{fd}").read_text(encoding="utf-8-sig")
        order.append(f"fsync of {len(content.splitlines())} lines")
        real_fsync(fd)

    def replace(self: Path, target: Path) -> Path:
        order.append(f"rename to {Path(target).name}")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    sent.write("out.csv")
    assert order == ["fsync of 9 lines", "rename to out.csv"]


class Breaks(SqliteRun):
    """A run whose disk gives out while it is read."""

    def results(self, first: int = 1, last: int | None = None) -> Iterator[ResultRow]:
        yield next(super().results(first, last))
        raise OSError(5, "Input/output error")


class IsInterrupted(SqliteRun):
    """A run whose results the user stops waiting for."""

    def results(self, first: int = 1, last: int | None = None) -> Iterator[ResultRow]:
        yield next(super().results(first, last))
        raise KeyboardInterrupt


@pytest.mark.parametrize(("kind", "error"), [(Breaks, UsageError), (IsInterrupted, KeyboardInterrupt)])
def test_if_writing_fails_midway_the_old_results_stay(
    sent: Run, kind: type[SqliteRun], error: type[BaseException]
) -> None:
    path = sent.path.with_name("out.csv")
    path.write_text("old")
    with kind.open(sent.path) as run, pytest.raises(error):
        write_results(run, path)
    assert path.read_text() == "old"
    assert sorted(file.name for file in path.parent.iterdir() if "run" not in file.name) == ["out.csv"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("nowhere/out.csv", "No such file or directory"),
        ("file/out.csv", "Not a directory"),
        ("x" * 300 + ".csv", "File name too long"),
        ("folder.csv", "Is a directory"),
    ],
)
def test_where_results_cannot_be_written_one_sentence_says_so(sent: Run, place: str, says: str) -> None:
    folder = sent.path.parent
    (folder / "file").touch()
    (folder / "folder.csv").mkdir()
    with SqliteRun.open(sent.path) as run, pytest.raises(UsageError, match=rf"it cannot be written: {says}"):
        write_results(run, folder / place)
    assert not [file for file in folder.rglob("*") if file.name.endswith(".part")]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_folder_where_one_may_not_write_is_told_in_one_sentence(sent: Run, mode: int) -> None:
    folder = sent.path.parent / "folder"
    folder.mkdir()
    folder.chmod(mode)
    try:
        with (
            SqliteRun.open(sent.path) as run,
            pytest.raises(UsageError, match="it cannot be written: Permission denied"),
        ):
            write_results(run, folder / "out.csv")
    finally:
        folder.chmod(0o700)
