"""The process in which workbooks are read, when it hangs, grows or loses its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sheets import rows, xlsx_parts, zipped

from bulksend.planning.reading.books import BookProcess, BrokenBookError, Choice
from bulksend.planning.reading.books.process import TOO_LONG, TOO_MUCH

READER = "from bulksend.planning.reading.books import child\n"
GROWS = READER + ("child._opened = lambda *_: [bytearray(1 << size) for size in range(20, 40, 6)]\nchild.main()\n")
HANGS = "import time; time.sleep(600)"
ABORTS = "import os; os.abort()"
BOOK = zipped(xlsx_parts({"S": rows(["to"], *([str(number)] for number in range(2_000)))}))


def script(code: str) -> Sequence[str]:
    return (sys.executable, "-c", code)


def said(process: BookProcess) -> str:
    with closing(process), pytest.raises(BrokenBookError) as error:
        process.message()
    return str(error.value)


def test_one_that_makes_no_progress_is_given_up() -> None:
    began = time.monotonic()
    assert said(BookProcess([b""], 20, script(HANGS), patience_s=0.3)) == TOO_LONG
    assert time.monotonic() - began < 10


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit of memory may not hold")
def test_one_that_grows_without_end_is_given_up() -> None:
    assert said(BookProcess([b""], 20, script(GROWS))) == TOO_MUCH


def test_one_that_a_library_ends_for_want_of_memory_is_told_as_that() -> None:
    assert said(BookProcess([b""], 20, script(ABORTS))) == TOO_MUCH


def test_one_that_ends_otherwise_is_told() -> None:
    assert said(BookProcess([b""], 20, script("raise SystemExit"))).startswith("the workbook is damaged: reading it")


def test_signs_of_life_are_progress() -> None:
    code = (
        "import sys, time; from bulksend.planning.reading.books import messages\n"
        "for _ in range(8): messages.write(sys.stdout.buffer, ['tick']); time.sleep(0.1)\n"
        "messages.write(sys.stdout.buffer, ['end', False])"
    )
    with closing(BookProcess([b""], 20, script(code), patience_s=5)) as process:
        assert process.message() == ["end", False]


def test_rows_come_in_batches() -> None:
    with closing(BookProcess([BOOK], 20)) as process:
        assert process.message()[0] == "sheets"
        process.choose(Choice(0, 1, False, []))
        assert process.message() == ["columns", ["to"], []]
        sizes = []
        while (message := process.message())[0] == "rows":
            sizes.append(len(message[1]))
        assert (sizes, message) == ([500] * 4, ["end", False])


def test_closed_before_its_end_it_is_gone() -> None:
    process = BookProcess([BOOK], 20)
    process.close()
    assert process._process.returncode is not None


def test_it_gets_none_of_the_settings_that_may_hold_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_API_KEY", "secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    code = (
        "import os, sys; from bulksend.planning.reading.books import messages\n"
        "messages.write(sys.stdout.buffer, ['end', bool({'BULKSEND_API_KEY', 'PGPASSWORD'} & {*os.environ})])"
    )
    with closing(BookProcess([b""], 20, script(code))) as process:
        assert process.message() == ["end", False]


@pytest.fixture
def child_of_another(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that waits for a child that hangs, and that child's number."""
    hangs = "import os, sys, time; from bulksend.planning.reading.books.child import limit\n"
    hangs += "limit(int(sys.argv[3])); open(os.environ['PLACE'], 'w').write(f'{os.getpid()} '); time.sleep(600)"
    code = (
        "import sys; from bulksend.planning.reading.books import BookProcess\n"
        f"process = BookProcess([b''], 20, (sys.executable, '-c', {hangs!r}))\n"
        "try: process.message()\n"
        "except KeyboardInterrupt: process.close(); print('interrupted')"
    )
    place = tmp_path / "pid"
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PLACE": str(place), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    until = time.monotonic() + 30
    while not (place.exists() and place.read_text().endswith(" ")) and time.monotonic() < until:
        time.sleep(0.02)
    yield parent, int(place.read_text())
    parent.kill()
    parent.communicate()


def is_gone(number: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(number, 0)
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":  # whoever has it now has not looked yet
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it next speaks")
def test_it_dies_with_its_parent(child_of_another: tuple[subprocess.Popen[str], int]) -> None:
    parent, child = child_of_another
    parent.kill()
    assert is_gone(child)


def test_ctrl_c_ends_both(child_of_another: tuple[subprocess.Popen[str], int]) -> None:
    parent, child = child_of_another
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=20)[0] == "interrupted\n"
    assert is_gone(child)
