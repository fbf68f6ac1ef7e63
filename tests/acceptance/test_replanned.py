"""A test send with ``--limit`` binds to nothing: what it has sent stays sent, and the rest can still be changed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter

import pytest
from conftest import Program, SandboxServer, Start, environment, send_to

PEOPLE = [f"63917123456{digit}" for digit in range(6)]


@pytest.fixture
def server(sandbox: Start) -> SandboxServer:
    return sandbox()


@pytest.fixture
def send(server: SandboxServer) -> tuple[str, ...]:
    """The command."""
    return send_to(server, of="june.csv")


def write(program: Program, *people: str) -> None:
    (program.folder / "june.csv").write_text("to,Name\n" + "".join(f"{who},N{who[-1]}\n" for who in people))


def got(server: SandboxServer) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in server.accepted():
        found.setdefault(record["to"], []).append(record["message"])
    return found


def test_a_text_can_be_corrected_after_a_test_and_the_tester_gets_no_second_one(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE)
    assert program(*send, "--message", "Hallo {Name}", "--limit", "1").returncode == 0
    first = program.results("june.results.csv")[0]
    changed = program(*send, "--message", "Hello {Name}", "--limit", "2")
    assert changed.returncode == 0, changed.stderr
    assert "june.run has begun with another message." in changed.stderr
    assert "6 rows corrected, 1 sent." in changed.stderr
    assert "Only commands with --limit have sent of it: the rest is planned anew in june.run" in changed.stderr
    assert "warning: no sender id" in changed.stderr  # the new plan is told like any new one
    assert program(*send, "--message", "Good day, {Name}").returncode == 0
    texts = ["Hallo N0", "Hello N1", "Hello N2", "Good day, N3", "Good day, N4", "Good day, N5"]
    assert got(server) == {who: [text] for who, text in zip(PEOPLE, texts, strict=True)}
    results = program.results("june.results.csv")
    assert [row["status"] for row in results] == ["sent"] * 6
    changed_row = results[0]
    assert changed_row.pop("error") == "sent before its row was changed, with the text of then"
    assert first.pop("error") == ""
    assert changed_row == first
    assert sorted(path.name for path in program.folder.iterdir()) == ["june.csv", "june.results.csv", "june.run"]


def test_a_sheet_can_be_changed_after_a_test_and_nothing_that_was_sent_is_lost_from_the_record(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:4])
    assert program(*send, "--message", "Hi {Name}", "--limit", "2").returncode == 0
    write(program, PEOPLE[5], PEOPLE[1], *PEOPLE[2:4])
    changed = program(*send, "--message", "Hi {Name}")
    assert changed.returncode == 0, changed.stderr
    assert ": 1 row corrected, 2 sent." in changed.stderr
    assert got(server) == {who: [f"Hi N{who[-1]}"] for who in [*PEOPLE[:4], PEOPLE[5]]}
    assert [(row["row"], row["to"], row["status"], row["Name"]) for row in program.results("june.results.csv")] == [
        ("1", PEOPLE[5], "sent", "N5"),
        ("2", PEOPLE[1], "sent", "N1"),
        ("3", PEOPLE[2], "sent", "N2"),
        ("4", PEOPLE[3], "sent", "N3"),
        ("5", PEOPLE[0], "sent", "N0"),
    ]
    assert "no such row any more" in program.results("june.results.csv")[4]["error"]


def test_rows_that_were_sent_are_no_rows_that_are_left_out_now_and_are_found_once(
    program: Program, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:4])
    assert program(*send, "--message", "Hi {Name}", "--limit", "2").returncode == 0
    changed = program(*send, "--message", "Hi {Name}", "--only", "Name=N3", "--json")
    assert changed.returncode == 0, changed.stderr
    assert json.loads(changed.stdout)["notSent"] == [
        {"status": "skipped", "reason": "left out: its 'Name' is not 'N3'", "rows": 1, "first": [3], "lines": [4]}
    ]
    assert "skipped: 1 row: left out" in changed.stderr
    assert "other reasons" not in changed.stderr
    [hit] = json.loads(program("find", PEOPLE[0], "--json").stdout)["found"]
    assert (hit["run"], hit["row"], hit["status"]) == ("june.run", 1, "sent")


@pytest.mark.parametrize("first", [("--limit", "1"), ()])
def test_after_a_command_that_would_have_sent_all_it_binds(
    program: Program, server: SandboxServer, send: tuple[str, ...], first: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:4])
    if first:
        assert program(*send, "--message", "Hallo", *first).returncode == 0
    assert program(*send, "--message", "Hallo", "--max-cost", "0.04").returncode == 3
    assert program(*send, "--message", "Hallo", "--limit", "1").returncode == 0
    refused = program(*send, "--message", "Hello")
    assert refused.returncode == 2
    assert "begins another run beside it" in refused.stderr
    assert Counter(map(len, got(server).values())) == {1: 3}


@pytest.mark.parametrize("limit", ["3", "100"])
def test_a_limit_that_all_rows_were_within_was_no_test(program: Program, send: tuple[str, ...], limit: str) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send, "--message", "Hallo", "--limit", limit).returncode == 0
    refused = program(*send, "--message", "Hello")
    assert refused.returncode == 2
    assert "begins another run beside it" in refused.stderr


def test_what_is_in_doubt_after_a_test_keeps_its_key_and_is_not_sent_with_the_new_text(
    program: Program, sandbox: Start
) -> None:
    server = sandbox("--latency", "300ms")
    send = send_to(server, "--concurrency", "1", of="june.csv")
    write(program, *PEOPLE)
    assert program(*send, "--message", "Hallo {Name}", "--limit", "1").returncode == 0
    process = program.start(*send, "--message", "Hallo {Name}", "--limit", "2")
    server.await_requests(2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    finished = program(*send, "--message", "Hello {Name}")
    assert finished.returncode == 0, finished.stderr
    texts = ["Hallo N0", "Hallo N1", *[f"Hello N{who[-1]}" for who in PEOPLE[2:]]]
    assert got(server) == {who: [text] for who, text in zip(PEOPLE, texts, strict=True)}
    assert [row["status"] for row in program.results("june.results.csv")] == ["sent"] * 6


def test_whom_a_list_left_out_is_not_planned_again_without_it(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:4])
    (program.folder / "optouts.csv").write_text(f"to\n{PEOPLE[3]}\n")
    listed = ("--exclude", "optouts.csv")
    assert program(*send, "--message", "Hallo", *listed, "--limit", "1").returncode == 0
    refused = program(*send, "--message", "Hello")
    assert refused.returncode == 2
    assert "begins another run beside it" in refused.stderr
    assert program(*send, "--message", "Hello", *listed).returncode == 0
    assert got(server) == {PEOPLE[0]: ["Hallo"], PEOPLE[1]: ["Hello"], PEOPLE[2]: ["Hello"]}


def test_other_keys_or_another_account_are_another_run_also_after_a_test(
    program: Program, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send, "--message", "Hallo", "--limit", "1").returncode == 0
    for other in (("--campaign", "x"), ("--org-id", "2"), ("--endpoint", "phonenumber")):
        refused = program(*send, "--message", "Hello", *other)
        assert refused.returncode == 2, other
        assert "begins another run beside it" in refused.stderr


_POINTS = """
import os, signal, sys
from bulksend.runs.sqlite import carried, plan
from bulksend.runs import history
from pathlib import Path

def dies_at(owner, name, when):
    real = getattr(owner, name)
    def wrapped(*arguments, **more):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        made = real(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, wrapped)

point, when = sys.argv.pop(1).split()
owners = {
    "carry_over": (carried, "carry_over"), "absorb": (history.FileHistory, "absorb"), "sync": (plan.FileLock, "sync"),
    "rename": (Path, "rename"), "folder": (plan, "_sync_folder"),
}
dies_at(*owners[point], when)
from bulksend.cli import main
main()
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "point",
    ["carry_over before", "carry_over after", "absorb before", "absorb after", "sync after", "rename before",
     "rename after", "folder after"],
)  # fmt: skip
def test_killed_at_any_point_of_planning_anew_nothing_is_sent_twice_or_lost(
    program: Program, server: SandboxServer, send: tuple[str, ...], point: str
) -> None:
    write(program, *PEOPLE)
    assert program(*send, "--message", "Hallo {Name}", "--limit", "2").returncode == 0
    write(program, *PEOPLE[1:])
    killed = subprocess.run(
        [sys.executable, "-c", _POINTS, point, *send, "--message", "Hello {Name}"],
        cwd=program.folder, env=environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert [row["status"] for row in _results_of(program)].count("sent") == 2
    finished = program(*send, "--message", "Hello {Name}")
    assert finished.returncode == 0, finished.stderr
    texts = ["Hallo N0", "Hallo N1", *[f"Hello N{who[-1]}" for who in PEOPLE[2:]]]
    assert got(server) == {who: [text] for who, text in zip(PEOPLE, texts, strict=True)}
    assert Counter(row["to"] for row in program.results("june.results.csv")) == dict.fromkeys(PEOPLE, 1)


def _results_of(program: Program) -> list[dict[str, str]]:
    """Results of the run as it stands, whatever was killed."""
    told = program("results", "june.run", "-o", "now.csv")
    assert told.returncode == 0, told.stderr
    return program.results("now.csv")
