"""Whether the process that had a run still runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bulksend import files
from bulksend.files import process_started_at
from bulksend.runs.owner import Owner, processes_here

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process started")


def ended() -> int:
    """The id of a process that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_this_process_is_not_gone() -> None:
    owner = Owner.now(1_000.0)
    assert (owner.pid, owner.host, owner.since) == (os.getpid(), socket.gethostname(), 1_000.0)
    assert not owner.is_gone


def test_a_process_that_ended_is_gone() -> None:
    assert Owner(ended(), socket.gethostname(), 1_000.0, 12_345).is_gone
    assert Owner(ended(), socket.gethostname(), 1_000.0).is_gone


@linux
def test_another_process_with_the_same_id_is_not_the_owner() -> None:
    now = Owner.now(1_000.0)
    assert now.started_at
    assert replace(now, started_at=now.started_at - 1).is_gone


def test_where_nobody_noted_when_the_owner_started_its_id_alone_tells() -> None:
    assert not replace(Owner.now(1_000.0), started_at=None).is_gone  # an owner of an earlier version
    assert not replace(Owner.now(1_000.0), started_at=0).is_gone  # the machine did not tell


def test_of_another_machines_process_nobody_knows() -> None:
    assert not Owner(ended(), "elsewhere.test", 1_000.0, 12_345).is_gone
    assert not replace(Owner.now(1_000.0), host="elsewhere.test", started_at=1).is_gone


@linux
def test_of_a_process_among_others_that_cannot_be_seen_here_nobody_knows() -> None:
    here, gone = processes_here(), Owner(ended(), socket.gethostname(), 1_000.0, 12_345)
    assert here
    assert not replace(gone, among=f"{here} elsewhere").is_gone  # a container, or a machine of the same name
    assert replace(gone, among=here).is_gone
    assert not Owner.now(1_000.0, here).is_gone


def test_what_is_not_told_of_an_owner_is_not_kept() -> None:
    assert "among" not in Owner.now(1_000.0).kept
    assert Owner(**Owner.now(1_000.0, "here").kept).among == "here"  # type: ignore[arg-type]


@linux
def test_a_process_that_nobody_buried_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    owner = Owner(process.pid, socket.gethostname(), 1_000.0, process_started_at(process.pid))
    assert not owner.is_gone
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
    assert owner.is_gone
    assert replace(owner, started_at=None).is_gone
    process.communicate()
    assert owner.is_gone


def test_a_process_that_runs_is_not_gone_where_the_machine_does_not_tell_when_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    owner = Owner.now(1_000.0)
    monkeypatch.setattr(files, "Path", lambda *_: tmp_path / "no such file")  # no /proc, or one that hides others
    assert process_started_at(os.getpid()) == 0
    assert not owner.is_gone
    assert Owner(ended(), socket.gethostname(), 1_000.0, 12_345).is_gone


@linux
def test_a_programs_name_cannot_pass_for_what_the_machine_tells_of_it(tmp_path: Path) -> None:
    name = tmp_path / "a) Z 1 2 3"
    name.symlink_to("/bin/sleep")
    with subprocess.Popen([name, "30"]) as process:
        try:
            started_at = process_started_at(process.pid)
            assert started_at is not None
            ours = process_started_at(os.getpid())
            assert ours is not None
            assert started_at >= ours
        finally:
            process.kill()


def test_people_are_told_which_process_it_is() -> None:
    assert str(Owner(12, "ana.test", 200 * 24 * 3_600.0, 5)).startswith("process 12 on ana.test, since 1970-07-")
