"""What earlier runs sent is told before the question and left out: as somebody at a terminal, or a script, sees it."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest
from conftest import Program, SandboxServer, Start, send_to

PEOPLE = [f"63917123456{digit}" for digit in range(5)]


@pytest.fixture
def server(program: Program, sandbox: Start) -> SandboxServer:
    """Which took june.csv, for three people."""
    server = sandbox()
    write(program, "june.csv", *PEOPLE[:3])
    assert program(*send_to(server, of="june.csv")).returncode == 0
    return server


def write(program: Program, name: str, *people: str, text: str = "Hi") -> None:
    (program.folder / name).write_text("to,message\n" + "".join(f"{who},{text}\n" for who in people))


def sent(server: SandboxServer) -> Counter[str]:
    return Counter(record["to"] for record in server.accepted())


@pytest.mark.parametrize("command", [("send", "--yes"), ("estimate",), ("send", "--dry-run")])
def test_it_is_told_counted_and_left_out(program: Program, server: SandboxServer, command: tuple[str, ...]) -> None:
    write(program, "july.csv", *PEOPLE)
    name, *more = command
    env = {"BULKSEND_BASE_URL": server.base_url}
    ended = program(name, "july.csv", *more, "--json", env=env)
    assert ended.returncode == 1, ended.stderr
    assert "3 of these got this very text from june.run" in ended.stderr
    assert "ago: left out (--repeat sends them again)" in ended.stderr
    told = json.loads(ended.stdout)
    assert (told["rows"], told["skipped"], told["leftOut"]) == (5, 3, 3)
    if command == ("send", "--yes"):
        assert sent(server) == dict.fromkeys(PEOPLE, 1)
        results = program.results("july.results.csv")
        assert [row["status"] for row in results] == ["skipped"] * 3 + ["sent"] * 2
        assert results[0]["error"].startswith("got this very text from june.run on ")
    else:
        assert told["sendable"] == 2
        assert sum(sent(server).values()) == 3


def test_of_how_many_contacts_nobody_knows_the_number_is_told(program: Program, server: SandboxServer) -> None:
    (program.folder / "july.csv").write_text("contactId,message\n8001,Hi\n8002,Hi\n")
    told = program("estimate", "july.csv", env={"BULKSEND_BASE_URL": server.base_url})
    assert "2 rows go to contacts whose number is not known here: of these it is seen only what" in told.stderr
    write(program, "july.csv", *PEOPLE)
    assert "whose number" not in program("estimate", "july.csv", env={"BULKSEND_BASE_URL": server.base_url}).stderr


def test_a_plan_that_was_kept_is_compared_with_what_was_sent_since(program: Program, server: SandboxServer) -> None:
    env = {"BULKSEND_BASE_URL": server.base_url, "BULKSEND_ORG_ID": "1"}
    write(program, "july.csv", *PEOPLE[3:])
    assert program("estimate", "july.csv", "--save", "july.run", env=env).returncode == 0
    write(program, "august.csv", *PEOPLE[4:])
    assert program("send", "august.csv", "--yes", env=env).returncode == 0
    assert program("optouts", "add", PEOPLE[3], env=env).returncode == 0
    told = program("estimate", "july.run", "--json", env=env)
    assert told.returncode == 1
    assert "1 of these got this very text from august.run" in told.stderr
    assert "1 more row is left out: they go to who opted out since this was planned." in told.stderr
    assert json.loads(told.stdout)["sendable"] == 0


@pytest.mark.parametrize(
    ("said", "again"), [(("--repeat",), 2), (("--repeat-after", "0s"), 2), (("--repeat-after", "1h"), 1)]
)
def test_what_is_said_is_done_on_purpose(
    program: Program, server: SandboxServer, said: tuple[str, ...], again: int
) -> None:
    write(program, "july.csv", *PEOPLE)
    assert program(*send_to(server, *said, of="july.csv")).returncode == 0
    assert sent(server) == {who: again if who in PEOPLE[:3] else 1 for who in PEOPLE}


def test_the_same_command_with_repeat_sends_what_was_left_out(program: Program, server: SandboxServer) -> None:
    write(program, "july.csv", *PEOPLE)
    send = send_to(server, of="july.csv")
    assert program(*send).returncode == 1
    assert program(*send).returncode == 1  # nor by whoever asks twice
    assert sum(sent(server).values()) == 5
    assert program(*send, "--repeat").returncode == 0
    assert sum(sent(server).values()) == 8
    assert Counter(row["status"] for row in program.results("july.results.csv")) == {"sent": 5}


def test_that_all_was_left_out_is_the_headline(program: Program, server: SandboxServer) -> None:
    write(program, "july.csv", *PEOPLE[:3])
    ended = program(*send_to(server, "--json", of="july.csv"))
    assert ended.returncode == 1
    assert "Nothing was sent" in ended.stderr
    assert "To send it all the same, give --repeat." in ended.stderr
    assert json.loads(ended.stdout)["reason"] == "Nothing was sent: all of it was sent before"
    assert sum(sent(server).values()) == 3


def test_who_got_another_text_lately_is_told_and_left_out_if_that_is_said(
    program: Program, server: SandboxServer
) -> None:
    write(program, "july.csv", *PEOPLE, text="Other")
    send = send_to(server, of="july.csv")
    left_out = program(*send, "--not-within", "7d", "--limit", "1")
    assert left_out.returncode == 0, left_out.stderr
    assert "3 of these got something from june.run" in left_out.stderr
    assert sent(server) == dict.fromkeys(PEOPLE[:4], 1)
    write(program, "august.csv", *PEOPLE, text="A third")
    told = program(*send_to(server, of="august.csv"))
    assert told.returncode == 0
    assert "4 of these got another text within 7 days (--not-within 7d leaves them out)" in told.stderr
    assert sent(server)[PEOPLE[0]] == 2


def test_a_saved_plan_is_compared_when_it_is_sent(program: Program, server: SandboxServer) -> None:
    write(program, "july.csv", *PEOPLE)
    write(program, "august.csv", PEOPLE[3])
    url = ("--base-url", server.base_url)
    assert program("estimate", "july.csv", "--save", "july.run", *url).returncode == 1
    assert program("send", "august.csv", *url, "--yes").returncode == 0
    assert program("send", "july.run", *url, "--yes").returncode == 1
    assert sent(server) == dict.fromkeys(PEOPLE, 1)


def test_a_rehearsal_is_not_in_history_nor_compared(program: Program, server: SandboxServer) -> None:
    write(program, "july.csv", *PEOPLE)
    assert program("send", "july.csv", "--sandbox", "--yes").returncode == 0
    assert program(*send_to(server, "--run", "real.run", of="july.csv")).returncode == 1
    assert sent(server) == dict.fromkeys(PEOPLE, 1)


def test_what_a_killed_run_sent_is_left_out_of_another(program: Program, sandbox: Start) -> None:
    server = sandbox("--latency", "300ms")
    write(program, "june.csv", *PEOPLE)
    write(program, "july.csv", *reversed(PEOPLE))
    first = program.start(*send_to(server, "--concurrency", "1", of="june.csv"))
    server.await_requests(3)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    ended = program(*send_to(server, of="july.csv"))
    assert ended.returncode == 1
    assert "of these got this very text from june.run" in ended.stderr
    assert "may have got this very text from june.run" in ended.stderr
    assert max(sent(server).values()) == 1


def test_a_plan_that_never_sent_anything_is_planned_anew_after_a_kill(program: Program, sandbox: Start) -> None:
    server = sandbox("--fail", "503=1")
    write(program, "june.csv", *PEOPLE)
    send = send_to(server, of="june.csv")
    first = program.start(*send)
    server.await_requests(2)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    again = program(*send, "--patience", "1s")
    assert again.returncode != 2, again.stderr


def test_history_is_purged_by_command(program: Program, server: SandboxServer, state_folder: Path) -> None:
    kept = program("history", "purge", "--older-than", "1d")
    assert (kept.returncode, kept.stderr.strip()) == (0, "0 messages forgotten.")
    gone = program("history", "purge", "--older-than", "0s")
    assert (gone.returncode, gone.stderr.strip()) == (0, "3 messages forgotten.")
    write(program, "july.csv", *PEOPLE)
    assert program(*send_to(server, of="july.csv")).returncode == 0
    assert list(state_folder.glob("*.history.key"))
