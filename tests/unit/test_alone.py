"""Parts that can be loaded without what stands above or beside them, and faces that name what is there."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

FACES = ("bulksend.sending", "bulksend.engagespark", "bulksend.engagespark.sandbox")


def loaded_by(statement: str) -> set[str]:
    """The modules that a new process has loaded after it."""
    script = f"import sys; {statement}; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_engine_loads_no_store_and_no_provider() -> None:
    loaded = loaded_by("import bulksend.sending.engine")
    assert loaded.isdisjoint({"sqlite3", "aiohttp", "uvloop", "click", "rich"})
    assert not [name for name in loaded if name.startswith(("bulksend.engagespark.", "bulksend.runs."))]


def test_an_estimate_loads_no_http_client() -> None:
    loaded = loaded_by("from bulksend.cli.commands import estimate")
    assert loaded.isdisjoint({"aiohttp", "yarl", "uvloop"})


def test_a_command_that_reads_a_run_loads_no_planner_and_no_event_loop() -> None:
    loaded = loaded_by("from bulksend.cli.commands import status; from bulksend.runs import open_run, is_run_file")
    assert "bulksend.runs.opening" in loaded
    assert loaded.isdisjoint({"asyncio", "bulksend.planning.planner", "bulksend.runs.sqlite.owned", "tomllib"})


def test_the_help_of_a_worker_needs_nothing_of_its_work() -> None:
    loaded = loaded_by("from bulksend.cli.commands import worker")
    assert loaded.isdisjoint({"asyncio", "sqlite3", "aiohttp", "rich.live", "bulksend.planning.reading.source"})
    assert not [name for name in loaded if name.startswith(("bulksend.campaign.", "bulksend.reports."))]


def test_a_command_loads_no_database_as_long_as_none_is_named() -> None:
    loaded = loaded_by(
        "from bulksend.cli.commands import database, send, status; from bulksend.runs import place_of, key_of; "
        "place_of('postgresql://me@host/db#june'); place_of('june.run')"
    )
    assert "bulksend.runs.places" in loaded
    assert loaded.isdisjoint({"psycopg", "bulksend.runs.postgres.connecting"})


def test_a_name_of_a_face_loads_its_own_module_only() -> None:
    loaded = loaded_by("from bulksend.sending import StopReason")
    assert "asyncio" not in loaded
    assert "bulksend.sending.engine" not in loaded


@pytest.mark.parametrize("face", FACES)
def test_every_name_of_a_face_is_there(face: str) -> None:
    module = importlib.import_module(face)
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_a_program_that_imports_the_package_loads_none_of_it_yet() -> None:
    loaded = loaded_by("import bulksend")
    assert loaded.isdisjoint({"asyncio", "sqlite3", "aiohttp", "yarl", "uvloop", "orjson", "click", "rich"})
    assert not [name for name in loaded if name.startswith("bulksend.")]


def test_a_program_that_sends_loads_no_command_line() -> None:
    loaded = loaded_by("import bulksend; bulksend.send, bulksend.Campaign, bulksend.events, bulksend.open_run")
    assert loaded.isdisjoint({"click", "rich", "aiohttp"})
