"""The mark of how far a run's intents have left: whose it is, and when nothing is known."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bulksend.runs import clock
from bulksend.runs.sqlite.departures import Departures, left_to

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one boot from another")
OURS, THEIRS = "a" * 32, "b" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "departures" / "plan"


def marked(path: Path, ticket: int, token: str = OURS) -> Path:
    mark = Departures(path, token)
    mark.reach(ticket)
    mark.close(remove=False)
    return path


def test_tickets_are_counted_from_one_and_none_is_given_twice(path: Path) -> None:
    mark = Departures(path, OURS)
    assert [mark.issue(3), mark.issue(1), mark.issue(0), mark.issue(2)] == [1, 4, 5, 5]


def test_a_mark_tells_at_once_how_far_its_owner_came_and_never_goes_back(path: Path) -> None:
    mark = Departures(path, OURS)
    told = [left_to(path, OURS)]
    for ticket in (1, 5, 3, 2**40):
        mark.reach(ticket)
        told.append(left_to(path, OURS))
    assert told == [0, 1, 5, 5, 2**40]


def test_a_mark_that_is_kept_is_there_when_its_owner_has_let_go_of_it(path: Path) -> None:
    mark = Departures(path, OURS)
    mark.reach(7)
    mark.close(remove=False)
    mark.close(remove=False)
    mark.reach(8)  # of a run that is given up already
    assert left_to(path, OURS) == 7


def test_a_mark_of_which_nothing_is_under_way_is_removed(path: Path) -> None:
    mark = Departures(path, OURS)
    mark.close(remove=True)
    assert list(path.parent.iterdir()) == []
    mark.close(remove=True)


def test_a_mark_is_for_its_owner_only(path: Path) -> None:
    marked(path, 7)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_new_owners_mark_replaces_the_one_before_which_cannot_change_it_any_more(path: Path) -> None:
    before = Departures(path, OURS)
    before.reach(7)
    now = Departures(path, THEIRS)
    before.reach(9)
    now.reach(2)
    assert left_to(path, OURS) is None
    assert left_to(path, THEIRS) == 2


def test_what_lies_in_a_marks_place_is_replaced_and_not_written_through(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "diary").write_text("dear diary")
    path.symlink_to(tmp_path / "diary")
    assert left_to(marked(path, 7), OURS) == 7
    assert (tmp_path / "diary").read_text() == "dear diary"


def cut(content: bytes) -> bytes:
    return content[:-1]


def lengthen(content: bytes) -> bytes:
    return content + b"\0"


def empty(_: bytes) -> bytes:
    return b""


def zero(content: bytes) -> bytes:
    return bytes(len(content))


def of_another_token(content: bytes) -> bytes:
    return b"b" + content[1:]


def of_another_boot(content: bytes) -> bytes:
    return content[:32] + bytes(reversed(content[32:68])) + content[68:]


@pytest.mark.parametrize("damage", [cut, lengthen, empty, zero, of_another_token, of_another_boot])
def test_of_a_damaged_or_foreign_mark_nothing_is_known(path: Path, damage: Callable[[bytes], bytes]) -> None:
    content = marked(path, 7).read_bytes()
    path.write_bytes(damage(content))
    assert left_to(path, OURS) is None
    path.write_bytes(content)
    assert left_to(path, OURS) == 7


def test_without_a_mark_nothing_is_known(path: Path) -> None:
    assert left_to(path, OURS) is None
    path.mkdir(parents=True)
    assert left_to(path, OURS) is None


def test_after_another_boot_nothing_is_known(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marked(path, 7)
    boot = tmp_path / "boot_id"
    boot.write_text("00000000-0000-0000-0000-000000000000\n")
    monkeypatch.setattr(clock, "_BOOT_ID", boot)
    assert left_to(path, OURS) is None


@pytest.mark.parametrize("content", [None, "", "not an id\n"])
def test_where_the_machine_does_not_tell_its_boot_there_is_no_mark_and_all_else_goes_on(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    boot = tmp_path / "boot_id"
    if content is not None:
        boot.write_text(content)
    monkeypatch.setattr(clock, "_BOOT_ID", boot)
    mark = Departures(path, OURS)
    assert mark.issue(2) == 1
    mark.reach(2)
    assert left_to(path, OURS) is None
    assert not path.exists()
    mark.close(remove=True)


def test_where_a_mark_cannot_be_written_all_else_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    path = tmp_path / "a file" / "plan"
    mark = Departures(path, OURS)
    assert mark.issue(2) == 1
    mark.reach(2)
    assert left_to(path, OURS) is None
    mark.close(remove=True)
