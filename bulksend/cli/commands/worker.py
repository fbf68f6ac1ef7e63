"""``bulksend worker``: one of as many processes as are wanted that send the runs of a database."""

from __future__ import annotations

import time
from typing import NamedTuple

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import CampaignEvent, Post, SendOptions, WorkBegun, WorkDealt, WorkLeft
from bulksend.cli import codes, options
from bulksend.cli.advice import stop_words
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.given import PaceSettings, TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.sending import run_loop, target_of
from bulksend.cli.settings import Command, option
from bulksend.cli.signals import stop_on_signals
from bulksend.cli.standing_view import end_words
from bulksend.cli.values import DATABASE
from bulksend.cli.watch import Watch
from bulksend.engagespark import Target
from bulksend.errors import Advice, UsageError
from bulksend.model import Endpoint
from bulksend.runs import LEASE_S, Address
from bulksend.sending import Stop, Stopping
from bulksend.words import many, printable


class WorkSettings(NamedTuple):
    """What is said of this worker alone."""

    until_done: bool
    lease: float
    quiet: bool


WORK = Group(
    "said",
    WorkSettings,
    (
        option("--until-done", is_flag=True, help="End when no run is left to be sent, instead of waiting for more."),
        option(
            "--lease",
            metavar="SECONDS",
            type=click.FloatRange(min=1),
            default=LEASE_S,
            show_default=True,
            help="So long what this worker has is its own unless it says so again: then others take it over.",
        ),
        options.QUIET,
    ),
)


@click.command(
    cls=Command,
    examples=(
        "bulksend worker postgresql://me@db.example/sms --org-id 123",
        "bulksend worker postgresql://me@db.example/sms --org-id 123 --until-done",
    ),
    exits={
        ExitCode.OK: "no run was left to be sent (--until-done)",
        ExitCode.USAGE: "usage or configuration: nothing was sent",
        ExitCode.STOPPED: "stopped early: the key was refused, the server or the database is away",
        ExitCode.OWNED: "it was not heard of for too long, and others took its work over",
        ExitCode.INTERRUPTED: "interrupted; others go on with what is left",
        ExitCode.TERMINATED: "terminated; others go on with what is left",
    },
)
@click.argument("database", metavar="DATABASE", type=DATABASE)
@with_options(options.TARGET, options.PACE, WORK)
def command(database: str, to: TargetSettings, paced: PaceSettings, said: WorkSettings) -> ExitCode:
    """Send the runs of a database that were left to workers (`bulksend send --detach`), beside as many others.

    It works on runs of exactly the account that its own settings name, and waits for more. SIGTERM has it end when what
    is under way has ended; whatever becomes of it, others go on.
    """
    org_id, base_url = to.address
    if to.sandbox:
        raise UsageError("a private sandbox has no workers: leave --sandbox out")
    if org_id is None:
        raise UsageError("there is no organization id", Advice.GIVE_ORGANIZATION)
    if paced.caps:
        raise UsageError("--cap is the run's: say it where that is planned")
    address = Address(org_id, options.DEFAULT_BASE_URL if base_url is None else base_url)
    to.check(address)
    target = target_of(to, address, Endpoint.CONTACT)
    if target is None:
        raise UsageError("there is no address of an API")
    out = console(quiet=said.quiet)
    why, sent = run_loop(_worked(database, target, paced.options(), said, out))
    out.print(f"{many(sent, 'message')} sent by this worker{f': {printable(stop_words(why))}' if why else ''}.")
    return ExitCode.OK if why is None else codes.of_stop(why)


async def _worked(
    database: str, target: Target, how: SendOptions, said: WorkSettings, out: Console
) -> tuple[Stop | None, int]:
    stopping, watch = Stopping(), Watch(out, hides_progress=True)

    def tell(event: WorkBegun | WorkDealt | WorkLeft | CampaignEvent) -> None:
        match event:
            case WorkBegun(run):
                _say(out, f"{run}: begun")
            case WorkDealt(shards, workers):
                _say(out, f"{shards} of 64 shards; {many(workers, 'worker')} at work")
            case WorkLeft(run, sent, end):
                _say(out, f"{run}: {many(sent, 'message')} sent{f'; {end_words(end)}' if end else ''}")
            case _:
                watch.hear(event)

    with stop_on_signals(stopping, watch.close):
        sent = await campaign.work(Post(database, target, said.lease, said.until_done), how, stopping, tell)
    return stopping.why, sent


def _say(out: Console, words: str) -> None:
    out.print(f"{time.strftime('%H:%M:%S')} {printable(words)}", soft_wrap=True, highlight=False)
