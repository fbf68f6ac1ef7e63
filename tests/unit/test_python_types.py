"""The types of the Python API, as a program sees them: mypy checks this file, and the tests its names."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, assert_type

import bulksend
from bulksend import errors, events
from bulksend.cli.commands.send import command

ACCOUNT = bulksend.Account(1, "k", base_url="https://x.test")
CAMPAIGN = bulksend.Campaign(
    Path("june.csv"),
    message="Hi {Name}",
    columns={"to": ["Mobile", "Phone"], "from": ""},
    only={"City": "Manila"},
    skip={"Consent": {"no", "never"}},
    duplicates="skip",
)
NAMES: list[str] = vars(bulksend)["__all__"]  # what a stub does not tell


async def uses() -> None:
    """Never called: what mypy sees of it is the test."""
    estimate = await bulksend.estimate(CAMPAIGN)
    assert_type(estimate, bulksend.Estimate)
    assert_type(estimate.estimate_micro, int)
    assert_type(estimate.balance_micro, int | None)
    planned = await bulksend.plan(CAMPAIGN, ACCOUNT, "june.run")
    assert_type(planned, bulksend.Planned)
    assert_type(planned.place, Path | bulksend.DatabaseRun)
    options = bulksend.SendOptions(max_cost_micro=estimate.estimate_micro, max_errors="5%", caps=["63=5/60"])
    seen: list[events.CampaignEvent] = []
    for what in (CAMPAIGN, planned, planned.place, "june.run", Path("june.run"), "postgresql://me@host/db#june"):
        assert_type(await bulksend.send(what, ACCOUNT, options, on_event=seen.append), bulksend.Sent)
    sent = await bulksend.send(CAMPAIGN, ACCOUNT, on_event=print)
    assert_type(sent.ended, events.Ended)
    assert_type(sent.ending.missing, int)
    assert_type(sent.results, Path | None)
    assert_type(sent.is_complete, bool)
    if sent.stop is not None:
        assert_type(sent.stop.reason, bulksend.StopReason)
    assert_type(sent.tally.statuses[bulksend.Status.SENT], int)
    assert_type(await bulksend.resolve(sent.run, ACCOUNT, "resend", unseen=True), bulksend.Resolved)
    delivered = await bulksend.receipts(sent.run, ACCOUNT, until_done_s=600)
    assert_type(delivered.deliveries.reached, int)
    with bulksend.open_run(sent.run) as run:
        assert_type(run, bulksend.OpenRun)
        assert_type(run.stand.standing, bulksend.Standing)
        assert_type(run.rows(), Iterator[bulksend.Row])
        for row in run.rows():
            assert_type(row.to, str | None)
            assert_type(row.cells, Mapping[str, str | None])
    try:
        await bulksend.send(CAMPAIGN, ACCOUNT)
    except errors.UndecidedError as error:
        assert_type(error.question, errors.Question)
    await bulksend.send(CAMPAIGN)  # type: ignore[call-arg]
    await bulksend.send(CAMPAIGN, "a key")  # type: ignore[arg-type]
    await bulksend.resolve(sent.run, ACCOUNT, "perhaps")  # type: ignore[arg-type]
    bulksend.SendOptions(max_cost_micro=0.5)  # type: ignore[arg-type]
    bulksend.Campaign("june.csv", "Hi")  # type: ignore[call-arg]


def test_the_names_are_few_and_each_says_what_it_is() -> None:
    assert sorted(NAMES) == [
        "Account", "Campaign", "DatabaseRun", "Delivered", "Estimate", "OpenRun", "Planned", "Resolved", "Row",
        "SendOptions", "Sent", "Standing", "Status", "StopReason", "errors", "estimate", "events", "open_run", "plan",
        "receipts", "resolve", "send",
    ]  # fmt: skip
    for name in NAMES:
        assert inspect.getdoc(getattr(bulksend, name)), name


def test_what_waits_is_a_coroutine() -> None:
    calls: list[Callable[..., Coroutine[Any, Any, object]]] = [
        bulksend.estimate, bulksend.plan, bulksend.send, bulksend.resolve, bulksend.receipts,
    ]  # fmt: skip
    assert all(map(inspect.iscoroutinefunction, calls))


def test_every_event_can_be_named() -> None:
    assert {kind.__name__ for kind in events.CampaignEvent.__args__} <= set(events.__all__)


NAMED_OTHERWISE = {"from": "sender", "map": "columns", "campaign": "campaign_id", "cap": "caps", "no_dedup": "dedup"}
OF_THE_COMMAND_LINE = {
    "org_id", "base_url", "sandbox", "api_key", "api_key_file", "api_key_command",  # an Account says it
    "message_file", "config", "yes", "no_progress", "quiet", "verbose", "json",  # a program does these itself
    "dry_run", "test_to", "row", "preview", "strict",  # an Estimate tells, and a program decides
    "start_at", "window", "window_end", "tz", "wait_limit",  # it has its own scheduler
    "detach",  # it is a worker for as long as it waits
    "on_finish", "webhook", "webhook_secret_file", "log_file", "metrics_port", "metrics_file",  # and hears of events
}  # fmt: skip


def test_what_can_be_said_of_a_send_a_program_can_say_too() -> None:
    fields = {field.name for kind in (bulksend.Campaign, bulksend.SendOptions) for field in dataclasses.fields(kind)}
    known = {name.removesuffix("_s").removesuffix("_micro") for name in fields} | OF_THE_COMMAND_LINE
    options = [spelling for param in command.params for spelling in param.opts if spelling.startswith("--")]
    names = [spelling.removeprefix("--").replace("-", "_") for spelling in options]
    assert len(names) > 50
    assert [name for name in names if NAMED_OTHERWISE.get(name, name) not in known] == []
