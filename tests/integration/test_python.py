"""The Python API: as careful as the command line, and at home in whatever loop calls it."""

from __future__ import annotations

import asyncio
import copy
import pickle
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import SandboxServer

import bulksend
from bulksend import Account, Campaign, SendOptions, Status, cli
from bulksend.errors import AccountBusyError, OwnedError, Question, UndecidedError, UsageError
from bulksend.events import AccountBusy, CampaignEvent, Ended, Excluded, LeftOut, Progressed, Started
from bulksend.model import PhoneNumber
from bulksend.python.choices import refuse
from bulksend.runs import Address, Standing, ask_to_end, history_of, open_run, optouts_of, own_run
from bulksend.sending import StopReason
from bulksend.when import Schedule, Wanted

Start = Callable[..., SandboxServer]
Sheets = Callable[..., Path]
Numbers = Callable[[int], list[str]]
KEY = "sandbox"


def account_of(server: SandboxServer, org_id: int = 1) -> Account:
    return Account(org_id, KEY, server.base_url)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_sending(event: CampaignEvent) -> bool:
    return isinstance(event, Progressed) and event.now.sent > 0


async def sending(what: Campaign | Path, account: Account, options: SendOptions) -> asyncio.Task[bulksend.Sent]:
    """A send that has had messages accepted."""
    begun = asyncio.Event()

    def hear(event: CampaignEvent) -> None:
        if is_sending(event):
            begun.set()

    task = asyncio.create_task(bulksend.send(what, account, options, hear))
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait((task, waiting), timeout=30, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert not task.done()
    return task


async def waiting(what: Campaign, server: SandboxServer, options: SendOptions) -> asyncio.Task[bulksend.Sent]:
    """A send that has had one message accepted, and waits for four answers."""
    begun = asyncio.create_task(sending(what, account_of(server), options))
    await asyncio.to_thread(server.await_requests, 1)
    server.answer()
    task = await begun
    await asyncio.to_thread(server.await_requests, 5)
    return task


async def cancelled(task: asyncio.Task[bulksend.Sent]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ---- from a sheet to its receipts ----


async def test_a_campaign_is_estimated_planned_sent_and_looked_at(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox()
    account, campaign = account_of(server), Campaign(campaign_of([*numbers(8), "12"]), sender="ACME")
    found = await bulksend.estimate(campaign, account)
    assert (found.rows, found.sendable, found.invalid, found.parts, found.estimate_micro) == (9, 8, 1, 8, 160_000)
    assert found.balance_micro == 10_000_000_000
    planned = await bulksend.plan(campaign, account)
    assert planned.place == Path(campaign.name).with_suffix(".run")
    assert planned.estimate == found
    events: list[CampaignEvent] = []
    sent = await bulksend.send(planned, account, on_event=events.append)
    assert sent.stop is None
    assert not sent.is_complete
    assert sent.tally.statuses[Status.SENT] == len(server.accepted()) == 8
    assert isinstance(events[-1], Ended)
    assert events[-1] == sent.ended
    assert any(isinstance(event, Started) for event in events)
    assert sent.results is not None
    assert sent.results.read_text(encoding="utf-8-sig").count(",sent,") == 8
    delivered = await bulksend.receipts(sent.run, account)
    assert delivered.could_look
    assert delivered.deliveries.reached == 8
    with bulksend.open_run(campaign.input) as run:
        assert run.stand.standing is Standing.FINISHED
        rows = list(run.rows())
    assert Counter(row.status for row in rows) == {"sent": 8, "invalid": 1}
    assert rows[0].message_id
    assert rows[0].cells["to"] == rows[0].to == numbers(1)[0]


async def test_an_estimate_leaves_nothing_behind(campaign_of: Sheets, numbers: Numbers, tmp_path: Path) -> None:
    found = await bulksend.estimate(Campaign(campaign_of(numbers(3))))
    assert (found.sendable, found.balance_micro) == (3, None)
    assert files_in(tmp_path) == ["campaign.csv"]


async def test_the_same_call_again_sends_nothing_and_changed_words_are_a_question(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox()
    account, campaign = account_of(server), Campaign(campaign_of(numbers(3)))
    for _ in range(2):
        assert (await bulksend.send(campaign, account)).is_complete
    changed = Campaign(campaign_of(numbers(4)))
    with pytest.raises(UndecidedError, match="new=True") as raised:
        await bulksend.send(changed, account)
    assert raised.value.question is Question.ANOTHER_RUN
    events: list[CampaignEvent] = []
    sent = await bulksend.send(changed, account, SendOptions(new=True), events.append)
    assert (sent.run.name, sent.is_complete) == ("campaign-2.run", False)
    assert [event.looked.leaves_out for event in events if isinstance(event, LeftOut)] == [True]
    assert len(server.accepted()) == 4


def test_a_run_of_the_command_line_goes_on_from_python_and_the_other_way_round(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, sheet = sandbox(), campaign_of(numbers(6))
    monkeypatch.setenv("BULKSEND_API_KEY", KEY)
    options = ["--only", "to=" + ",".join(numbers(5)), "--map", "to=to", "--country", "ph", "--from", "ACME", "--gsm"]
    options += ["--countries", "SG,PH"]
    to = ["--org-id", "1", "--base-url", server.base_url]
    assert cli.run(["send", str(sheet), *options, *to, "--yes", "--no-progress", "--limit", "2"]) == 0
    only, columns = {"to": numbers(5)}, {"to": "to"}
    campaign = Campaign(
        sheet, only=only, columns=columns, country="PH", countries=["ph", "SG"], sender="ACME", gsm=True
    )
    sent = asyncio.run(bulksend.send(campaign, account_of(server), SendOptions(limit=2)))
    assert (sent.ended.sent_now, sent.tally.attempts) == (2, 4)
    assert cli.run(["send", str(sheet), *options, *to, "--yes", "--no-progress"]) == 0
    assert len(server.accepted()) == 5
    assert sorted(path.name for path in sheet.parent.glob("*.run")) == ["campaign.run"]


async def test_a_rehearsal_needs_no_key_and_stands_in_nobodys_way(campaign_of: Sheets, numbers: Numbers) -> None:
    sent = await bulksend.send(Campaign(campaign_of(numbers(3))), Account.rehearsal())
    assert sent.is_complete
    assert sent.run.name == "campaign.sandbox.run"
    with pytest.raises(UsageError, match="rehearsal"):
        await bulksend.receipts(sent.run, Account.rehearsal())


# ---- as careful as the command line ----


async def test_whoever_opted_out_gets_nothing(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    server = sandbox()
    account, some = account_of(server), numbers(3)
    planned = await bulksend.plan(Campaign(campaign_of(some)), account)
    with optouts_of(None, Address(1, server.base_url)) as optouts:
        optouts.add([PhoneNumber(some[1])], "asked", time.time())
    events: list[CampaignEvent] = []
    sent = await bulksend.send(planned, account, on_event=events.append)
    assert [event.opted_out for event in events if isinstance(event, Excluded)] == [1]
    assert sent.tally.statuses[Status.SKIPPED] == 1
    assert len(server.accepted()) == 2


async def test_results_of_a_run_whose_file_is_gone_are_a_question(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox()
    account, campaign = account_of(server), Campaign(campaign_of(numbers(2)))
    sent = await bulksend.send(campaign, account)
    assert isinstance(sent.run, Path)
    sent.run.unlink()
    with pytest.raises(UndecidedError, match="repeat=True") as raised:
        await bulksend.send(campaign, account)
    assert raised.value.question is Question.SENT_BEFORE
    await bulksend.send(campaign, account, SendOptions(repeat=True))
    assert len(server.accepted()) == 4


async def test_a_run_that_was_cut_off_and_is_gone_is_a_question(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox()
    account = account_of(server)
    gone = await bulksend.plan(Campaign(campaign_of(numbers(1), "may.csv")), account)
    with history_of(None, Address(1, server.base_url)) as history, open_run(gone.place) as run:
        history.begin(run, began_at=time.time(), wall_s=time.time())
    assert isinstance(gone.place, Path)
    gone.place.unlink()
    campaign = Campaign(campaign_of(numbers(2)))
    with pytest.raises(UndecidedError, match=r"nobody knows what it sent: .*repeat=True") as raised:
        await bulksend.send(campaign, account)
    assert raised.value.question is Question.LOST
    assert server.accepted() == []
    assert (await bulksend.send(campaign, account, SendOptions(repeat=True))).is_complete


async def test_another_run_that_could_not_be_sent_is_not_left_as_if_it_was_agreed_to(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers, tmp_path: Path
) -> None:
    server = sandbox("--latency", "50ms")
    account = account_of(server)
    await bulksend.send(Campaign(campaign_of(numbers(2))), account)
    busy = await sending(Campaign(campaign_of(numbers(60)[3:], "june.csv")), account, SendOptions(concurrency=2))
    with pytest.raises(AccountBusyError):
        await bulksend.send(Campaign(campaign_of(numbers(3))), account, SendOptions(new=True))
    assert "campaign-2.run" not in files_in(tmp_path)
    await cancelled(busy)


async def test_a_plan_of_nobodys_is_sent_by_whoever_says_so(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    planned = await bulksend.plan(Campaign(campaign_of(numbers(2))))
    assert (await bulksend.send(planned, account_of(sandbox()))).is_complete


async def test_a_run_on_a_network_file_system_is_a_question(
    campaign_of: Sheets, numbers: Numbers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr("bulksend.runs.lock._MOUNTS", mounts)
    campaign, account = Campaign(campaign_of(numbers(1))), Account.rehearsal()
    with pytest.raises(UndecidedError, match="force=True"):
        await bulksend.send(campaign, account)
    sent = await bulksend.send(campaign, account, SendOptions(force=True))
    for look in (bulksend.resolve, bulksend.receipts):
        with pytest.raises(UndecidedError, match="force=True"):
            await look(sent.run, account)
    assert (await bulksend.resolve(sent.run, account, force=True)).looked_up is None


async def test_a_run_keeps_to_its_time_and_nobody_sleeps_for_it(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox()
    planned = await bulksend.plan(Campaign(campaign_of(numbers(2))), account_of(server))
    with own_run(planned.place, time.time()) as run:
        run.times.keep(Wanted(start="tomorrow 09:00", zone="Asia/Manila").settled(Schedule(), time.time()))
    sent = await bulksend.send(planned, account_of(server))
    assert sent.stop is not None
    assert sent.stop.reason is StopReason.WINDOW_CLOSED
    assert server.log() == []


async def test_a_budget_holds(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    server = sandbox()
    sent = await bulksend.send(
        Campaign(campaign_of(numbers(9))), account_of(server), SendOptions(max_cost_micro=100_000)
    )
    assert sent.stop is not None
    assert sent.stop.reason is StopReason.BUDGET_FILLED
    assert len(server.accepted()) == 5


async def test_rows_in_doubt_are_decided_on_and_only_send_sends_them(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox("--lose-answers", "1", "--legacy")
    account, sheet = account_of(server), campaign_of(numbers(3))
    sent = await bulksend.send(Campaign(sheet), account)
    assert sent.tally.in_doubt == 3
    assert (await bulksend.resolve(sheet, account)).in_doubt == 3
    assert (await bulksend.resolve(sheet, account, "resend")).decided == 3
    assert len(server.accepted()) == 3
    await bulksend.send(sent.run, account)
    assert len(server.accepted()) == 6
    left = await bulksend.resolve(sheet, account, "leave")
    assert (left.decided, left.in_doubt) == (3, 0)


async def test_what_could_not_be_looked_up_is_not_sent_again_without_a_word(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox("--lose-answers", "1")
    account, sheet = account_of(server), campaign_of(numbers(2))
    task = await in_doubt_of(sheet, account)
    assert task.in_doubt
    server.end()
    with pytest.raises(UndecidedError, match="unseen=True"):
        await bulksend.resolve(sheet, account, "resend")
    assert (await bulksend.resolve(sheet, account, "resend", unseen=True)).decided == task.in_doubt


async def in_doubt_of(sheet: Path, account: Account) -> bulksend.Resolved:
    """Rows in doubt that nobody has looked up."""
    planned = await bulksend.plan(Campaign(sheet), account)
    with closing(sqlite3.connect(f"{planned.place}")) as db, db:
        db.execute(
            "INSERT INTO sends (row, state, attempts, started_at, doubt_since) "
            "SELECT row, 'unknown', 1, 1, 1 FROM messages"
        )
    return await bulksend.resolve(planned.place, account)


async def test_a_run_that_is_stopped_from_elsewhere_ends_in_order(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    sheet = campaign_of(numbers(400))
    task = await sending(Campaign(sheet), account_of(sandbox("--latency", "50ms")), SendOptions(concurrency=4))
    await asyncio.to_thread(ask_to_end, sheet.with_suffix(".run"), time.time())
    sent = await task
    assert sent.stop is not None
    assert sent.stop.reason is StopReason.ASKED


# ---- cancelling ----


async def test_a_cancelled_send_ends_in_order_and_goes_on(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server, sheet = sandbox("--latency", "200ms"), campaign_of(numbers(60))
    campaign, account = Campaign(sheet), account_of(server)
    await cancelled(await sending(campaign, account, SendOptions(concurrency=4)))
    with bulksend.open_run(sheet) as run:
        stand = run.stand
    accepted = len(server.accepted())
    assert 0 < accepted < 60
    assert (stand.standing, stand.owner) == (Standing.STOPPED, None)
    assert stand.end is not None
    assert stand.end.reason == StopReason.INTERRUPTED
    assert stand.tally.statuses[Status.SENT] == accepted  # the answers under way were waited for
    assert stand.tally.in_doubt == stand.tally.in_flight == 0
    assert sheet.with_name("campaign.results.csv").read_text(encoding="utf-8-sig").count(",sent,") == accepted
    assert (await bulksend.send(campaign, account)).is_complete
    assert set(Counter(each["to"] for each in server.accepted()).values()) == {1}


async def test_a_second_cancellation_waits_for_no_answer(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    server, sheet = sandbox("--latency", "20"), campaign_of(numbers(20))
    task = await waiting(Campaign(sheet), server, SendOptions(concurrency=4))
    began = time.monotonic()
    task.cancel()
    await asyncio.sleep(0)
    await cancelled(task)
    assert time.monotonic() - began < 10
    with bulksend.open_run(sheet) as run:
        assert 0 < run.tally.in_doubt <= 4
        assert run.stand.owner is None


async def test_the_time_for_answers_is_limited(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    server, sheet = sandbox("--latency", "20"), campaign_of(numbers(20))
    task = await waiting(Campaign(sheet), server, SendOptions(concurrency=4, grace_s=0.1))
    began = time.monotonic()
    await cancelled(task)
    assert time.monotonic() - began < 10
    with bulksend.open_run(sheet) as run:
        assert run.tally.in_doubt == 4


async def test_a_timeout_of_the_caller_holds(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    server, sheet = sandbox("--latency", "50ms"), campaign_of(numbers(400))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await bulksend.send(Campaign(sheet), account_of(server), SendOptions(concurrency=2))
    with bulksend.open_run(sheet) as run:
        assert run.stand.owner is None
        assert run.tally.in_doubt == 0


async def test_a_plan_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    sheet = tmp_path / "large.csv"
    sheet.write_text("to,message\n" + "".join(f"63917{row:07},Hello\n" for row in range(300_000)))
    task = asyncio.create_task(bulksend.plan(Campaign(sheet)))
    while not sheet.with_suffix(".run.planning").exists():  # noqa: ASYNC110 -- another thread makes it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(tmp_path) == ["large.csv"]


async def test_a_plan_leaves_the_loop_free(tmp_path: Path) -> None:
    sheet = tmp_path / "large.csv"
    sheet.write_text("to,message\n" + "".join(f"63917{row:07},Hello\n" for row in range(60_000)))
    ticks = 0
    task = asyncio.create_task(bulksend.estimate(Campaign(sheet)))
    while not task.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert task.result().sendable == 60_000
    assert ticks > 5


async def test_what_a_listener_raises_ends_the_send_in_order(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server, sheet = sandbox("--latency", "50ms"), campaign_of(numbers(60))

    def hear(event: CampaignEvent) -> None:
        if is_sending(event):
            raise ZeroDivisionError("a fault of the listener's")

    with pytest.raises(ZeroDivisionError, match="of the listener's"):
        await bulksend.send(Campaign(sheet), account_of(server), SendOptions(concurrency=2), hear)
    with bulksend.open_run(sheet) as run:
        assert run.stand.standing is Standing.STOPPED
        assert run.tally.in_doubt == 0


# ---- several at once ----


async def test_sends_of_different_accounts_go_side_by_side(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    sheets = [campaign_of(numbers(40), name) for name in ("june.csv", "july.csv")]
    accounts = [account_of(sandbox("--org-id", str(org_id), "--latency", "50ms"), org_id) for org_id in (1, 2)]
    spans: list[float] = []
    both = await asyncio.gather(
        *(
            bulksend.send(
                Campaign(sheet), account, SendOptions(concurrency=4), lambda _: spans.append(time.monotonic())
            )
            for sheet, account in zip(sheets, accounts, strict=True)
        )
    )
    assert all(sent.is_complete for sent in both)
    assert max(spans) - min(spans) < sum(sent.ended.seconds for sent in both)


async def test_of_two_sends_of_an_account_the_second_is_turned_away_or_waits(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    server = sandbox("--latency", "50ms")
    account, other = account_of(server), Campaign(campaign_of(numbers(62)[60:], "july.csv"))
    first = await sending(Campaign(campaign_of(numbers(60), "june.csv")), account, SendOptions(concurrency=2))
    with pytest.raises(AccountBusyError):
        await bulksend.send(other, account)
    with pytest.raises(OwnedError):
        await bulksend.send(Campaign(campaign_of(numbers(60), "june.csv")), account)
    waits = asyncio.Event()

    def hear(event: CampaignEvent) -> None:
        if isinstance(event, AccountBusy):
            waits.set()

    impatient = asyncio.create_task(bulksend.send(other, account, SendOptions(wait=True), hear))
    await waits.wait()
    await cancelled(impatient)
    assert not first.done()
    assert (await bulksend.send(other, account, SendOptions(wait=True))).tally.attempts == 2
    assert (await first).is_complete


async def test_a_run_is_read_while_it_is_sent(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    sheet = campaign_of(numbers(60))
    task = await sending(Campaign(sheet), account_of(sandbox("--latency", "50ms")), SendOptions(concurrency=2))
    with bulksend.open_run(sheet) as run:
        assert run.stand.standing is Standing.SENDING
        assert len(list(run.rows())) == 60
    assert (await task).is_complete


# ---- a good guest ----


async def test_nothing_is_printed_and_no_signal_is_taken(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers, capfd: pytest.CaptureFixture[str]
) -> None:
    heard: list[object] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    account, campaign = account_of(sandbox()), Campaign(campaign_of(numbers(3)))

    def hear(_: CampaignEvent) -> None:
        heard.append({number: signal.getsignal(number) for number in before})

    await bulksend.send(campaign, account, on_event=hear)
    assert heard
    assert all(each == before for each in heard)
    assert capfd.readouterr() == ("", "")


async def test_the_key_is_told_nobody(sandbox: Start, campaign_of: Sheets, numbers: Numbers, tmp_path: Path) -> None:
    server = sandbox("--token", "s3cret-key")
    account = Account(1, "s3cret-key", server.base_url)
    sent = await bulksend.send(Campaign(campaign_of(numbers(2))), account)
    assert sent.is_complete
    assert "s3cret" not in f"{account!r} {account} {sent!r}"
    for lend in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds an API key"):
            lend(account)
    assert not [name for name in files_in(tmp_path) if b"s3cret" in (tmp_path / name).read_bytes()]


@pytest.mark.parametrize(
    ("org_id", "key", "url"),
    [(0, "k", "https://x.test"), (1, "", "https://x.test"), (1, "a key", "https://x.test"), (1, "k", "http://x.test")],
)
def test_an_account_that_cannot_be_is_refused_without_its_key(org_id: int, key: str, url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Account(org_id, key, url)
    assert "a key" not in str(raised.value)


async def test_an_input_is_not_taken_for_a_run_nor_a_run_for_an_input(
    sandbox: Start, campaign_of: Sheets, numbers: Numbers
) -> None:
    account, sheet = account_of(sandbox()), campaign_of(numbers(1))
    with pytest.raises(UsageError, match="sent as a Campaign"):
        await bulksend.send(sheet, account)
    sent = await bulksend.send(Campaign(sheet), account)
    with pytest.raises(UsageError, match="this is a run"):
        await bulksend.send(Campaign(f"{sent.run}"), account)


@pytest.mark.parametrize(
    "said",
    [
        {"concurrency": 0}, {"limit": 0}, {"rate": 0}, {"timeout_s": -1}, {"retries": -1}, {"max_cost_micro": 0},
        {"patience_s": float("nan")}, {"cap_counts": "letters"}, {"history_days": 0},
    ],
)  # fmt: skip
def test_what_no_send_can_do_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(said))):
        SendOptions(**said)


@pytest.mark.parametrize(
    "said",
    [
        {"columns": {"phone": "x"}},
        {"columns": {"to": ""}},
        {"duplicates": "drop"},
        {"endpoint": "x"},
        {"message": "\ud83d"},
    ],
)
def test_what_no_campaign_can_be_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(said))):
        Campaign("june.csv", **said)


async def test_a_listener_that_would_have_to_be_awaited_is_refused(campaign_of: Sheets, numbers: Numbers) -> None:
    async def hear(event: CampaignEvent) -> None:
        raise AssertionError(event)

    with pytest.raises(TypeError, match="not awaited"):
        await bulksend.send(
            Campaign(campaign_of(numbers(1))),
            Account.rehearsal(),
            on_event=hear,  # type: ignore[arg-type]
        )


@pytest.mark.parametrize("question", Question)
def test_every_question_names_the_argument_that_answers_it(question: Question) -> None:
    with pytest.raises(UndecidedError, match=r"so: .*(=True|new=)"):
        refuse(UndecidedError("so", question))


def test_a_task_function_sends_in_a_loop_of_its_own(sandbox: Start, campaign_of: Sheets, numbers: Numbers) -> None:
    assert asyncio.run(bulksend.send(Campaign(campaign_of(numbers(2))), account_of(sandbox()))).is_complete
