"""Metrics of a send, as Prometheus reads them: from a port of this machine, and from a file."""

from __future__ import annotations

import socket
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ROOT
from prometheus_client.parser import text_string_to_metric_families
from receiver import receiving

from bulksend import cli
from bulksend.cli.codes import ExitCode
from bulksend.monitoring import Metrics

PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
PEOPLE = [f"63917123450{digit}" for digit in range(8)]


@pytest.fixture(autouse=True)
def folder(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, and an environment without settings."""
    monkeypatch.setenv("BULKSEND_API_KEY", "key")
    Path("june.csv").write_text("to,message\n" + "".join(f"{who},hello there\n" for who in PEOPLE) + "12,bad\n")
    return own_folder


@pytest.fixture
def port() -> int:
    """One that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found: int = taken.getsockname()[1]
        return found


def quiet(_: str) -> None:
    """Nobody wants to hear."""


def send(*more: str) -> int:
    return cli.run(["send", "june.csv", "--yes", *more])


def figures(text: str) -> dict[str, float]:
    """Every sample, by its name and labels as they are written."""
    return {
        sample.name + ("{" + ",".join(f"{name}={value}" for name, value in sample.labels.items()) + "}")
        * bool(sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }  # fmt: skip


def test_a_file_tells_in_the_end_what_became_of_all() -> None:
    assert send("--sandbox", "--metrics-file", "june.prom") == ExitCode.NOT_ALL_SENT
    found = figures(Path("june.prom").read_text())
    assert found["bulksend_messages_total{outcome=sent}"] == 8
    assert found["bulksend_messages_total{outcome=rejected}"] == 0
    assert found["bulksend_attempts_total"] == found["bulksend_request_seconds_count"] == 8
    assert found["bulksend_estimated_usd"] == pytest.approx(0.16)
    assert found["bulksend_charged_usd_total"] == pytest.approx(0.16)
    assert (found["bulksend_pending"], found["bulksend_in_flight"], found["bulksend_exit_code"]) == (0, 0, 1)
    assert time.time() - 60 < found["bulksend_started_timestamp_seconds"] <= found["bulksend_ended_timestamp_seconds"]
    assert any(name.startswith("bulksend_run_info{run=june.sandbox.run,") for name in found)
    assert not [left for left in Path().iterdir() if ".prom." in left.name]


def test_what_a_command_reads_when_all_has_ended_is_whole() -> None:
    send("--sandbox", "--metrics-file", "june.prom", "--on-finish", "cp june.prom seen.prom")
    assert figures(Path("seen.prom").read_text())["bulksend_messages_total{outcome=sent}"] == 8


def test_a_port_tells_while_it_is_sent_and_to_this_machine_alone(port: int) -> None:
    seen: list[dict[str, float]] = []
    elsewhere: list[str] = []

    def look() -> None:
        while not any(each.path.startswith("/v1/sms") for each in api.seen):
            time.sleep(0.01)
        time.sleep(0.3)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            seen.append(figures(answer.read().decode()))
        with socket.socket() as other, suppress(ConnectionRefusedError):  # whoever listens everywhere takes it
            other.connect(("127.0.0.2", port))
            elsewhere.append("taken")

    with receiving(500, wait_s=2.0) as api:
        looking = threading.Thread(target=look)
        looking.start()
        send(
            "--org-id",
            "1",
            "--base-url",
            api.base_url,
            "--timeout",
            "4",
            "--retries",
            "0",
            "--max-errors",
            "0",
            "--metrics-port",
            str(port),
        )
        looking.join(10)
    (found,) = seen
    assert (found["bulksend_in_flight"], found["bulksend_pending"], found["bulksend_exit_code"]) == (1, 8, -1)
    assert elsewhere == []


def test_a_port_that_is_taken_is_told_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert send("--sandbox", "--metrics-port", str(number)) == ExitCode.USAGE
    assert f"metrics cannot be served at 127.0.0.1:{number}: Address already in use" in capsys.readouterr().err
    assert not Path("june.sandbox.run").exists()


@pytest.mark.parametrize(
    ("name", "says"), [("none/june.prom", "cannot be written there"), ("june.csv", "name another")]
)
def test_a_file_that_cannot_be_written_or_is_another_is_told_before_anything_is_sent(
    name: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("june.csv").read_bytes()
    assert send("--sandbox", "--metrics-file", name) == ExitCode.USAGE
    assert says in capsys.readouterr().err
    assert Path("june.csv").read_bytes() == before
    assert not Path("june.sandbox.run").exists()


def test_a_file_that_cannot_be_written_any_more_is_told_once(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    troubles: list[str] = []
    metrics = Metrics(None, there / "june.prom", troubles.append)
    (there / "june.prom").unlink()
    there.rmdir()
    metrics.ended({"exit": 0})
    metrics.close()
    assert troubles == [f"the metrics in {there}/june.prom are old: they cannot be written (No such file or directory)"]


def test_without_the_extra_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "bulksend.monitoring.metrics", raising=False)
    monkeypatch.delattr("bulksend.monitoring.metrics", raising=False)
    monkeypatch.delattr("bulksend.monitoring.Metrics", raising=False)
    assert send("--sandbox", "--metrics-file", "june.prom") == ExitCode.USAGE
    assert "metrics need prometheus-client: in bulksend's folder, pip install '.[metrics]'" in capsys.readouterr().err


def test_every_metric_stands_in_the_papers_and_the_other_way_round(tmp_path: Path) -> None:
    Metrics(None, tmp_path / "a.prom", quiet).close()
    there = {family.name for family in text_string_to_metric_families((tmp_path / "a.prom").read_text())}
    table = PAGE.partition("| metric | meaning |")[2].partition("\n\n")[0]
    told = {name.removesuffix("_total") for name in _names(table)}
    assert {name.removesuffix("_total") for name in there} == told


def _names(table: str) -> list[str]:
    return [line.split("`")[1].partition("{")[0] for line in table.splitlines() if line.count("`") > 1]
