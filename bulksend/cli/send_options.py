"""What is said of one send alone, as options."""

from __future__ import annotations

from typing import NamedTuple

import click

from bulksend.cli.groups import Group
from bulksend.cli.options import QUIET, VERBOSE
from bulksend.cli.settings import option
from bulksend.cli.values import ERROR_LIMIT, USD
from bulksend.model import MicroUSD
from bulksend.sending import ErrorLimit


class SendSettings(NamedTuple):
    """What is said of this send alone."""

    max_cost: MicroUSD | None
    max_errors: ErrorLimit | None
    no_dedup: bool
    history_days: int
    limit: int | None
    new: bool
    test_to: str | None
    row: int | None
    wait: bool
    detach: bool
    force: bool
    dry_run: bool
    yes: bool
    no_progress: bool
    quiet: bool
    verbose: bool
    as_json: bool


SEND = Group(
    "said",
    SendSettings,
    (
        option("--max-cost", metavar="USD", type=USD, help="Stop before the run costs more."),
        option(
            "--max-errors",
            metavar="N|N%",
            type=ERROR_LIMIT,
            help="Stop when more rows than this could not be sent; a share is judged from the 100th row on.",
        ),
        option("--no-dedup", is_flag=True, help="Send no clientDedup: what may have been accepted is never repeated."),
        option(
            "--history-days",
            metavar="N",
            type=click.IntRange(min=1),
            default=400,
            show_default=True,
            help="For how long it is kept who got what.",
        ),
        option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N pending rows: a test send."),
        option("--test-to", metavar="NUMBER", help="Send one row's real text to your own phone, no part of the run."),
        option(
            "--row",
            metavar="N",
            type=click.IntRange(min=1),
            help="The row that --test-to sends (by default the first that can be) or --dry-run shows.",
        ),
        option("--new", is_flag=True, help="Begin another run beside one that has begun otherwise, or is finished."),
        option("--wait", is_flag=True, help="If another run of the account is sending, wait until it has ended."),
        option(
            "--detach",
            is_flag=True,
            help="Of a run in a database: plan and agree only; `bulksend worker`s send it.",
        ),
        option(
            "--force",
            is_flag=True,
            help="Send a run also from a network file system, or where its account does not live.",
        ),
        option("--dry-run", is_flag=True, help="Plan and price only, as `bulksend estimate` does."),
        option("--yes", "-y", is_flag=True, help="Send without asking."),
        option("--no-progress", is_flag=True, help="Show no progress."),
        QUIET,
        VERBOSE,
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)
