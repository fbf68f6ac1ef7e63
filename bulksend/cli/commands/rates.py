"""``bulksend rates``: what SMS parts cost, by the beginning of the number."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from bulksend import campaign
from bulksend.cli.codes import ExitCode
from bulksend.cli.configuration import FILE
from bulksend.cli.settings import Command, option
from bulksend.cli.values import PLACE
from bulksend.errors import UsageError
from bulksend.files import check_replaceable
from bulksend.reports import inputs_of
from bulksend.runs import Place, Run, files_of, name_of, open_run, place_of
from bulksend.sms import LearnedRate, learn, write_rates, writer_for
from bulksend.words import many


@click.group
def command() -> None:
    """Make files of rates, by which campaigns are priced."""


@command.command(
    name="learn",
    cls=Command,
    examples=("bulksend rates learn june.run july.run -o rates.csv",),
    exits={
        ExitCode.OK: "written",
        ExitCode.USAGE: "usage, or nothing can be learned",
        ExitCode.STOPPED: "a run cannot be read",
    },
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=PLACE)
@option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help=".csv or .toml")
def learn_command(runs: Sequence[Place], output: Path) -> ExitCode:
    """Learn rates from what the messages of earlier runs were charged."""
    places = list(dict.fromkeys(runs))
    with ExitStack() as stack:
        opened = [stack.enter_context(open_run(place)) for place in places]
        _check(output, opened)
        sent_at = max((at for run in opened if (at := run.last_charged_at()) is not None), default=None)
        if sent_at is None:
            raise UsageError(
                f"nothing was charged in {_names(places)} yet: send some messages first, such as with --limit 3"
            )
        lines = learn(each for run in opened for each in run.observed_rates())
    if not lines:
        raise UsageError(
            f"nothing was charged in {_names(places)} for a number that is known: send to numbers, not contacts"
        )
    write_rates(output, lines, _source(lines, places), f"{datetime.fromtimestamp(sent_at, UTC):%Y-%m-%d}")
    click.echo(f"{many(len(lines), 'rate')} learned from {_messages(lines)}: written to {output}", err=True)
    if mixed := [line.prefix for line in lines if line.mixed]:
        click.echo(
            f"Prices differed within {', '.join(mixed[:5])}{'…' if mixed[5:] else ''}: the highest counts.", err=True
        )
    return ExitCode.OK


def _check(output: Path, runs: Sequence[Run]) -> None:
    writer_for(output)
    others = [path for run in runs for path in (*files_of(place_of(run.place)), *inputs_of(run))]
    for run in runs:
        campaign.check_not_purged(run)
        if not run.facts.base_url:
            click.echo(f"Note: {run.place} went to a private sandbox, whose prices are made up.", err=True)
    check_replaceable(output, *others)
    if output.resolve() == FILE.resolve():
        raise UsageError(f"{output}: these are bulksend's settings; name another file for the rates")


def _source(lines: Sequence[LearnedRate], runs: Sequence[Place]) -> str:
    note = "; the highest where prices differed" if any(line.mixed for line in lines) else ""
    return f"learned from {_messages(lines)} of {_names(runs)}{note}"


def _messages(lines: Sequence[LearnedRate]) -> str:
    return many(sum(line.messages for line in lines), "message")


def _names(runs: Sequence[Place]) -> str:
    return ", ".join(click.format_filename(name_of(run)) for run in runs)
