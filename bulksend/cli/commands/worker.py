"""``bulksend worker``: one of as many processes as are wanted that send the runs of a database."""

from __future__ import annotations

from typing import NamedTuple

import click

from bulksend import campaign, engagespark
from bulksend.cli import options
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.given import PaceSettings, TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.settings import Command, option
from bulksend.cli.values import DATABASE
from bulksend.cli.watch_options import WATCHING, WatchSettings
from bulksend.errors import Advice, UsageError
from bulksend.model import Endpoint
from bulksend.runs import LEASE_S, Address


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
@with_options(options.TARGET, options.PACE, WORK, WATCHING)
def command(
    database: str, to: TargetSettings, paced: PaceSettings, said: WorkSettings, watched: WatchSettings
) -> ExitCode:
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
    if not address.base_url:
        raise UsageError("there is no address of an API")
    from bulksend.cli.worked import work  # noqa: PLC0415 -- its help needs none of this

    target = engagespark.Target(address.base_url, address.org_id, Endpoint.CONTACT, to.key())
    post = campaign.Post(database, target, said.lease, said.until_done)
    return work(post, paced.options(), console(quiet=said.quiet), watched)
