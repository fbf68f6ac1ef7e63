"""The house stands as it is drawn: imports point downward, folders are used through their faces, the core is mute."""

from __future__ import annotations

import re

import house
import pytest

LONGEST = 300  # lines of a module
COMMAND_LINE = re.compile(r"\bExitCode\b|^import signal|\bos\._exit|\bprint\(|[ (\"'`]--[a-z]{2}", re.MULTILINE)


def test_every_module_is_in_a_room_of_the_order() -> None:
    rooms = {house.room_of(module) for module in house.modules()} - {"__init__"}
    assert rooms <= set(house.ROOMS)


def test_imports_point_downward_only() -> None:
    assert house.upward() == []


def test_a_folder_is_used_through_its_face() -> None:
    assert house.past_a_face() == []


def test_the_order_is_not_held_by_seeing_nothing() -> None:
    seen = set(house.arrows())
    assert house.Arrow("bulksend.runs.finding", "bulksend.runs.opening", "open_run") in seen
    assert house.Arrow("bulksend.sending", "bulksend.sending.engine", "Engine") in seen
    assert house.Arrow("bulksend.cli.sending", "bulksend.campaign", "") in seen
    assert len(seen) > 400


@pytest.mark.parametrize("module", [name for name in house.modules() if house.room_of(name) not in {"cli", "__main__"}])
def test_the_core_speaks_no_command_line(module: str) -> None:
    assert COMMAND_LINE.findall(house.modules()[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("module", house.modules())
def test_a_module_is_read_in_one_go(module: str) -> None:
    assert len(house.modules()[module].read_text(encoding="utf-8").splitlines()) <= LONGEST
