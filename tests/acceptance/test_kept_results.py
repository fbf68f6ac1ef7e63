"""The results of one run are not overwritten by another's, whatever they are called."""

from __future__ import annotations

import shutil
import time

import pytest
from conftest import CampaignOf, Numbers, Program, Start


@pytest.fixture
def nov(program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers) -> tuple[str, ...]:
    """A campaign of three that was sent as nov.run; and the options with which it was."""
    campaign_of(numbers(3))
    sent = ("--base-url", sandbox().base_url, "--yes", "--repeat-after", "0s")
    assert program("send", "campaign.csv", *sent, "--run", "nov.run").returncode == 0
    return sent


def files(program: Program) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in program.folder.glob("*.csv")}


def test_results_have_the_name_of_their_run(program: Program, nov: tuple[str, ...]) -> None:
    before = files(program)
    assert sorted(before) == ["campaign.csv", "nov.results.csv"]
    assert program("send", "campaign.csv", *nov, "--run", "dec.run").returncode == 0
    assert [row["status"] for row in program.results("dec.results.csv")] == ["sent"] * 3
    assert files(program).items() > before.items()


@pytest.mark.long
@pytest.mark.parametrize("name", ["nov.results.csv", "mine.csv", "mine.jsonl"])
def test_no_command_writes_over_the_results_of_another_run(program: Program, nov: tuple[str, ...], name: str) -> None:
    results = program.folder / name
    if not results.exists():
        assert program("results", "nov.run", "-o", name).returncode == 0
    content = results.read_bytes()
    assert program("send", "campaign.csv", *nov, "--run", "dec.run").returncode == 0
    output = str(results)
    for command in (
        ("send", "campaign.csv", *nov, "--run", "fresh.run", "--repeat", "--results", output),
        ("send", "campaign.csv", *nov, "--run", "dec.run", "--results", output),
        ("send", "dec.run", "--yes", "--results", output),
        ("resolve", "dec.run", "--results", output),
        ("results", "dec.run", "-o", output),
        ("estimate", "campaign.csv", "-o", output),
        ("retry", "dec.run", "-o", output),
    ):
        refused = program(*command)
        assert refused.returncode == 2, (command, refused.stderr)
        assert f"{results}: these are the results of " in refused.stderr
        assert "nov.run: name another file for the output" in refused.stderr
        assert results.read_bytes() == content
    assert not (program.folder / "fresh.run").exists()


def test_a_run_writes_its_own_results_again_wherever_they_are(program: Program, nov: tuple[str, ...]) -> None:
    (program.folder / "out").mkdir()
    for name in ("nov.results.csv", "mine.csv", "out/mine.csv"):
        for _ in range(2):
            assert program("send", "nov.run", *nov, "--results", name).returncode == 0
            assert program("results", "nov.run", "-o", name).returncode == 0
    (program.folder / "nov.run").rename(program.folder / "out" / "moved.run")
    assert program("results", "out/moved.run", "-o", "mine.csv").returncode == 0
    assert [row["status"] for row in program.results("mine.csv")] == ["sent"] * 3


def test_what_a_run_whose_file_is_gone_has_written_is_kept_under_another_name(
    program: Program, nov: tuple[str, ...]
) -> None:
    (program.folder / "nov.run").unlink()
    content = (program.folder / "nov.results.csv").read_bytes()
    sent = program("send", "campaign.csv", *nov, "--run", "nov.run", "--repeat")
    assert sent.returncode == 0, sent.stderr
    assert "The results of a run whose file is gone are kept in nov.results.1.csv." in sent.stderr
    assert (program.folder / "nov.results.1.csv").read_bytes() == content
    time.sleep(1.0)  # a sandbox counts its ids anew each second: another's must not be taken for those of nov
    rehearsed = program("send", "campaign.csv", "--sandbox", "--yes", "--results", "nov.results.1.csv")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert (program.folder / "nov.results.1.1.csv").read_bytes() == content


@pytest.mark.usefixtures("nov")
def test_a_rehearsals_results_tell_of_nobody_and_may_be_written_over(program: Program) -> None:
    assert program("send", "campaign.csv", "--sandbox", "--yes", "--results", "mine.csv").returncode == 0
    assert program("results", "nov.run", "-o", "mine.csv").returncode == 0
    assert sorted(files(program)) == ["campaign.csv", "mine.csv", "nov.results.csv"]


def test_what_tells_of_nothing_that_was_sent_is_no_question(program: Program, nov: tuple[str, ...]) -> None:
    shutil.copy(program.folder / "nov.results.csv", program.folder / "mine.csv")
    told = (program.folder / "mine.csv").read_text(encoding="utf-8-sig").replace(",sent,", ",rejected,")
    (program.folder / "mine.csv").write_text(told)
    assert program("send", "nov.run", *nov, "--results", "mine.csv").returncode == 0
