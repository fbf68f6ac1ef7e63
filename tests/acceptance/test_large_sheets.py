"""A sheet so large that a second process writes its plan: whichever of both is killed, no half of it can be sent."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import PROGRAM, Program, environment
from terminals import CTRL_C, terminal

from bulksend.runs.sqlite.loading import FEW

ROWS = FEW + 10_000
LINE = "63917{0:07},{0}\n"
PLAN = ("estimate", "campaign.csv", "--save", "campaign.run", "--message", "Hi {name}")
DRAFT = "campaign.run.planning"


class Sheet:
    """A sheet of which not all is there yet: whoever plans it waits for the rest."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "campaign.csv"
        os.mkfifo(self._path)
        self._fd = os.open(self._path, os.O_RDWR)

    def write(self, first: int, last: int, patience_s: float = 30) -> None:
        """Rows from here to there; once it is through, all but a few kilobytes of them were read."""
        text = "".join(map(LINE.format, range(first, last + 1)))
        header = "to,name\n" if first == 1 else ""
        fd = os.open(self._path, os.O_WRONLY)  # the thread's own: this one's number may be another file's one day
        writing = threading.Thread(target=_write, args=[fd, (header + text).encode()], daemon=True)
        writing.start()
        writing.join(patience_s)

    def close(self) -> None:
        os.close(self._fd)


def _write(fd: int, data: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(fd, "wb", buffering=0) as pipe:  # nobody reads it any more
        left = memoryview(data)
        while left:
            left = left[pipe.write(left) :]


@pytest.fixture
def sheet(tmp_path: Path) -> Iterator[Sheet]:
    sheet = Sheet(tmp_path)
    yield sheet
    sheet.close()


def whole(folder: Path) -> None:
    """Put a whole sheet in the place of one."""
    (folder / "campaign.csv").unlink()
    (folder / "campaign.csv").write_text("to,name\n" + "".join(map(LINE.format, range(1, ROWS + 1))))


def children_of(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, parent in map(str.split, listed.splitlines()) if int(parent) == process]


def writer_of(process: int) -> int:
    """The process that writes for one that plans."""
    ends_s = time.monotonic() + 30
    while not (found := children_of(process)):
        assert time.monotonic() < ends_s, "none was started"
        time.sleep(0.02)
    return found[0]


def await_end(process: int) -> None:
    ends_s = time.monotonic() + 30
    while Path(f"/proc/{process}").exists() if Path("/proc/self").exists() else _is_listed(process):
        assert time.monotonic() < ends_s, "it is still there"
        time.sleep(0.02)


def _is_listed(process: int) -> bool:
    return subprocess.run(["ps", "-p", f"{process}"], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_where_the_planning_process_is_killed_no_half_can_be_sent_and_the_same_command_plans_it_anew(
    program: Program, sheet: Sheet, tmp_path: Path
) -> None:
    with program.start(*PLAN) as planning:
        sheet.write(1, ROWS)
        writer = writer_of(planning.pid)
        planning.kill()
    await_end(writer)
    assert not (tmp_path / "campaign.run").exists()
    for of in ("campaign.run", DRAFT):
        refused = program("send", of, "--yes", "--base-url", "http://127.0.0.1:9")
        assert refused.returncode == 2, refused.stderr
    whole(tmp_path)
    planned = program(*PLAN)
    assert planned.returncode == 0, planned.stderr
    assert f"{ROWS:,}" in program("status", "campaign.run").stderr
    assert not (tmp_path / DRAFT).exists()


def test_as_long_as_a_killed_ones_rows_may_still_be_written_nobody_else_begins(
    program: Program, sheet: Sheet, tmp_path: Path
) -> None:
    with program.start(*PLAN) as planning:
        sheet.write(1, ROWS)
        writer = writer_of(planning.pid)
        os.kill(writer, signal.SIGSTOP)
        planning.kill()
    whole(tmp_path)
    try:
        refused = program(*PLAN)
        assert "another bulksend process is at work on it" in refused.stderr
    finally:
        os.kill(writer, signal.SIGCONT)
    planned = program(*PLAN)
    assert planned.returncode == 0, planned.stderr


def test_where_the_writing_process_is_killed_planning_ends_with_one_sentence_and_leaves_nothing(
    program: Program, sheet: Sheet, tmp_path: Path
) -> None:
    with program.start(*PLAN) as planning:
        sheet.write(1, ROWS)
        os.kill(writer_of(planning.pid), signal.SIGKILL)
        sheet.write(ROWS + 1, 2 * ROWS, patience_s=0)  # whoever reads it ends before
        _, says = planning.communicate(timeout=30)
    assert says.splitlines()[-1] == (
        "Error: campaign.run: the run file cannot be used: the process that writes it was killed (signal 9)"
    )
    assert planning.returncode == 3
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.csv"]


@pytest.mark.parametrize("rows", [FEW, ROWS])
def test_ctrl_c_ends_planning_in_order(sheet: Sheet, tmp_path: Path, rows: int) -> None:
    with terminal(tmp_path, *PLAN) as planning:
        sheet.write(1, rows)
        draft = tmp_path / DRAFT
        ends_s = time.monotonic() + 30
        while not draft.exists() and time.monotonic() < ends_s:
            time.sleep(0.02)
        writer = writer_of(planning.process.pid) if rows > FEW else None
        planning.type(CTRL_C)
        assert planning.end() == 130
        assert not draft.exists()
        if writer:
            await_end(writer)
    assert not [line for line in planning.written if "Traceback" in line or "rror" in line]
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.csv"]


@pytest.mark.parametrize(("rows", "most"), [(FEW, 200_000), (5 * FEW, 4_000_000)])
def test_a_file_that_may_not_grow_is_told_in_the_same_words_whoever_writes_it(
    tmp_path: Path, rows: int, most: int
) -> None:
    (tmp_path / "campaign.csv").write_text("to,name\n" + "".join(map(LINE.format, range(1, rows + 1))))
    ended = subprocess.run(
        [*PROGRAM, *PLAN],
        cwd=tmp_path,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.splitlines()[-1] == "Error: campaign.run: the run file cannot be used: disk I/O error"
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.csv"]
