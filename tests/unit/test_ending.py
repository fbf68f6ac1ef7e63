"""How a send ended, from what it came to: in a headline that is true, and one step that comes next."""

from __future__ import annotations

import shlex
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from runfiles import ANSWER, begin, notes_of, number, own, pending, planned

from bulksend.campaign import Ended, Ending, Finish, NextStep, ending_of
from bulksend.cli import codes
from bulksend.cli.codes import ExitCode
from bulksend.cli.ending_view import headline, reason_of, show_ending
from bulksend.engagespark import Balance
from bulksend.model import Event, MicroUSD, Outcome, Status
from bulksend.planning import Tally
from bulksend.runs import open_run
from bulksend.sending import ErrorLimit, Stop, StopReason

POOR = Stop(StopReason.OUT_OF_FUNDS, "the account is out of funds (insufficient funds)")
MANY = Stop(StopReason.TOO_MANY_ERRORS, "too many", 11, 20, ErrorLimit(10, is_percent=False))
SHARE = Stop(StopReason.TOO_MANY_ERRORS, "too many", 11, 100, ErrorLimit(10, is_percent=True))
ALIKE = Stop(StopReason.ALL_REJECTED, "all alike")
CTRL_C = Stop(StopReason.INTERRUPTED, "interrupted")


def ended(stop: Stop | None = None, *, tried: int = 10, now: int | None = None, **rows: int) -> Ended:
    """A send that tried some rows; ``now`` of the sent were accepted by it, all unless it is said."""
    statuses = dict.fromkeys(Status, 0) | {Status(name): count for name, count in rows.items() if name in {*Status}}
    tally = Tally(statuses, attempts=tried, left_out=rows.get("left_out", 0))
    is_limited = bool(rows.get("limited"))
    return Ended(stop, tally, 2.0, rows.get("sent", 0) if now is None else now, 0, 0, tried, is_limited)


def seen(each: Ended, tmp_path: Path) -> Ending:
    """The account of it, with a run that knows no more."""
    path = tmp_path / "a.run"
    if not path.exists():
        planned(path, [pending(1)])
    with open_run(path) as run:
        return ending_of(run, each)


@pytest.mark.parametrize(
    ("each", "says", "code", "step"),
    [
        (ended(sent=10), "Finished", ExitCode.OK, NextStep.NOTHING),
        (ended(sent=9, invalid=30), "Finished, but 30 rows were not sent", ExitCode.NOT_ALL_SENT, NextStep.MEND),
        (ended(sent=9, rejected=1), "Finished, but 1 row was not sent", ExitCode.NOT_ALL_SENT, NextStep.MEND),
        (ended(sent=9, failed=2), "Finished, but 2 rows were not sent", ExitCode.NOT_ALL_SENT, NextStep.GO_ON),
        (
            ended(sent=9, rejected=1, unknown=2),
            "Finished, but 1 row was not sent and 2 rows are in doubt",
            ExitCode.NOT_ALL_SENT,
            NextStep.RESOLVE,
        ),
        (ended(unknown=2), "Finished, but 2 rows are in doubt", ExitCode.STOPPED, NextStep.RESOLVE),
        (ended(rejected=10), "Nothing was sent: of 10 requests none was accepted", 3, NextStep.MEND),
        (ended(failed=10), "Nothing was sent: of 10 requests none was accepted", 3, NextStep.GO_ON),
        (ended(sent=5, rejected=9, now=0), "Nothing more was sent: of 10 requests none was accepted", 3, "mend"),
        (ended(tried=0, invalid=3), "Nothing was sent: of 3 rows none is left to send", 1, NextStep.MEND),
        (ended(tried=0, skipped=3, left_out=3), "Nothing was sent: all of it was sent before", 1, NextStep.NOTHING),
        (ended(tried=0, skipped=4, left_out=3), "Nothing was sent: all that can be sent was sent before", 1, ""),
        (ended(sent=3, skipped=3, left_out=3), "Finished, but 3 rows were left out, which got the same before", 1, ""),
        (ended(tried=0, sent=5, now=0), "Finished", ExitCode.OK, NextStep.NOTHING),
        (ended(tried=0, sent=5, now=0, invalid=1), "Finished, but 1 row was not sent", 1, NextStep.MEND),
        (ended(sent=5, pending=7, limited=1), "Finished as far as the limit goes: 7 rows are left", 0, NextStep.GO_ON),
        (ended(POOR, sent=5, pending=7), "Stopped early: out of funds", ExitCode.STOPPED, NextStep.GO_ON),
        (ended(POOR, pending=7), "Nothing was sent: out of funds", ExitCode.STOPPED, NextStep.GO_ON),
        (ended(POOR, sent=5, now=0, pending=7), "Nothing more was sent: out of funds", 3, NextStep.GO_ON),
        (ended(CTRL_C, sent=5, pending=7, unknown=1), "Stopped early: interrupted", 130, NextStep.GO_ON),
        (ended(CTRL_C, pending=7, unknown=1), "Stopped early: interrupted", 130, NextStep.GO_ON),
        (ended(MANY, sent=5, pending=7), "Stopped early: too many errors", 3, NextStep.ALLOW_ERRORS),
        (ended(MANY, sent=5, rejected=7), "Stopped early: too many errors", 3, NextStep.MEND),
    ],
)
def test_the_headline_is_true_and_goes_with_exit_code_and_next_step(
    each: Ended, says: str, code: int, step: str, tmp_path: Path
) -> None:
    ending = seen(each, tmp_path)
    assert headline(ending, leaves_out=False) == says
    assert codes.of_end(each) == code
    assert ending.next_step == (step or NextStep.NOTHING)
    assert (reason_of(ending, leaves_out=False) is None) == (code == ExitCode.OK)


def test_what_history_leaves_out_on_purpose_is_no_lack(tmp_path: Path) -> None:
    ending = seen(ended(sent=3, skipped=3, left_out=3), tmp_path)
    assert headline(ending, leaves_out=True) == "Finished"
    assert reason_of(ending, leaves_out=True) is None


@pytest.mark.parametrize("reason", StopReason)
def test_every_reason_makes_a_headline(reason: StopReason, tmp_path: Path) -> None:
    for rows in ({"sent": 1}, {}):
        said = headline(seen(ended(Stop(reason, "so it was"), pending=1, **rows), tmp_path), leaves_out=False)
        assert said.startswith("Stopped early: " if rows else "Nothing was sent: ")
        assert len(said) < 60


@pytest.mark.parametrize(("stop", "limit"), [(MANY, "21"), (SHARE, "21%"), (ALIKE, "100%"), (POOR, "None")])
def test_as_many_errors_more_are_allowed_as_were(stop: Stop, limit: str, tmp_path: Path) -> None:
    ending = seen(ended(stop, sent=5, pending=7), tmp_path)
    assert f"{ending.errors}" == limit
    if ending.errors and stop.done:
        assert not ending.errors.is_exceeded(stop.unsent, stop.done)


@pytest.fixture
def half_sent(tmp_path: Path) -> Path:
    """Of 600 rows planned at 2 cents, one in two parts, 93 were sent for 1.25 cents a part, and one refused."""
    rows = [pending(row, number(row), parts=2 if row == 600 else 1) for row in range(1, 601)]
    path = planned(tmp_path / "half.run", rows)
    charged = ANSWER._replace(charged=MicroUSD(12_500), estimate_parts=1, to="")
    with own(path) as run:
        notes = notes_of(run)
        for row in range(1, 94):
            begin(notes, [row], 1_000.0)
            notes.settle([Outcome(row, Event.ACCEPTED, True, 1_001.0, 200, charged, "")], turn=0)
        begin(notes, [94], 1_000.0)
        notes.settle([Outcome(94, Event.REJECTED, True, 1_001.0, 400, None, "the API rejected it: blocked")], turn=0)
    return path


def of_half(path: Path, stop: Stop | None = POOR, balance: int | None = 12_345) -> Ending:
    held = None if balance is None else Balance(MicroUSD(balance), auto_recharge=False)
    with open_run(path) as run:
        each = Ended(stop, run.tally(), 10.0, 93, 0, 0, 94, since_s=1_000.0, until_s=1_010.0, balance=held)
        return ending_of(run, each)


def test_the_top_up_is_what_the_rest_costs_at_the_prices_charged_less_the_balance_in_whole_cents(
    half_sent: Path,
) -> None:
    ending = of_half(half_sent)
    assert ending.rest is not None
    assert (ending.rest.rows, ending.rest.micro, ending.rest.unpriced) == (506, 507 * 12_500, 0)
    assert ending.top_up == 6_330_000  # 6.3375 - 0.012345 = 6.325155
    assert of_half(half_sent, balance=507 * 12_500).top_up is None
    assert of_half(half_sent, balance=507 * 12_500 - 1).top_up == 10_000
    assert of_half(half_sent, balance=-1_000_000).top_up == 7_340_000
    assert of_half(half_sent, balance=None).top_up is None


def test_a_budget_for_all_of_it_holds_what_is_left_at_the_plans_price_where_that_is_higher(half_sent: Path) -> None:
    ending = of_half(half_sent, Stop(StopReason.BUDGET_FILLED, "the next message would exceed the budget"))
    assert ending.next_step is NextStep.RAISE_BUDGET
    assert ending.budget == 11_310_000  # 93 times 1.25 cents, and 507 times 2 cents: 11.3025


def shown(path: Path, ending: Ending, width: int, command: str = "bulksend send half.run --yes") -> list[str]:
    out = StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False, force_terminal=True)
    console._color_system = None
    with open_run(path) as run:
        show_ending(console, run, ending, Path("half.results.csv"), command, leaves_out=False)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_all_of_it_fits_with_a_blank_line_between_the_parts_and_no_word_broken(half_sent: Path, width: int) -> None:
    ending = of_half(half_sent)
    command = (
        "bulksend send half.run --base-url http://127.0.0.1:8080 --api-key-file 'the key.txt' --concurrency 12 --yes"
    )
    lines, wide = shown(half_sent, ending, width, command), shown(half_sent, ending, 1_000, command)
    pasted = "\n".join(lines).partition("or this:\n")[2]
    assert shlex.split(pasted.replace("\\\n", "")) == shlex.split(command)  # as a shell reads it
    is_path = [line for line in lines if str(half_sent) in line]
    assert max(cell_len(line) for line in lines if line not in is_path) <= width
    assert " ".join(lines).replace(" \\ ", " ").split() == " ".join(wide).split()
    assert sum(not line for line in lines) == 5
    assert "" not in (lines[1], lines[3], lines[-1])
    assert not any(a == b == "" for a, b in pairwise(lines))


def test_what_was_sent_what_was_not_and_why_what_it_takes_and_one_command_are_told(half_sent: Path) -> None:
    lines = shown(half_sent, of_half(half_sent), 200)
    for line in (
        "Stopped early: out of funds",
        "sent       93  (accepted by the API)",
        "rejected   1  (refused by the API: certainly not sent)",
        "           1: the API rejected it: blocked; row 94",
        "pending    506  (not sent yet; the same command goes on)",
        "           rows 95, 96, 97 and 503 more",
        "charged    $1.1625 by the API's words",
        "estimated  $1.86",
        "took       10.0 s for 94 requests, 9.3 SMS/s on average",
        "results    half.results.csv",
        "stopped    the account is out of funds (insufficient funds)",
        "left       506 messages, $6.3375",
        "to do      top up $6.33: the balance is $0.012345",
        "  bulksend send half.run --yes",
    ):
        assert line in lines
    assert sum("bulksend " in line for line in lines) == 1
    assert of_half(half_sent).finish == Finish.STOPPED


def test_no_row_has_a_comma_that_looks_like_the_one_before_the_next(tmp_path: Path) -> None:
    path = planned(tmp_path / "long.run", [pending(row, number(row)) for row in range(1_201, 1_206)])
    assert "           rows 1201, 1202, 1203 and 2 more" in shown(path, of_half(path), 80)


def test_why_it_stopped_is_not_said_twice(half_sent: Path) -> None:
    lines = shown(half_sent, of_half(half_sent, CTRL_C), 80)
    assert "Stopped early: interrupted" in lines
    assert not [line for line in lines if line.startswith("stopped")]
