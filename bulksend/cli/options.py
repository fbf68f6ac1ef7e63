"""The options that commands share."""

from __future__ import annotations

from pathlib import Path

import click

from bulksend import engagespark
from bulksend.cli import values
from bulksend.cli.given import AccountSettings, FileSettings, PaceSettings, PlanSettings, RepeatSettings, TargetSettings
from bulksend.cli.groups import Group
from bulksend.cli.settings import option
from bulksend.cli.values import AT_ONCE, CAP, CHOICE, COUNTRIES, DURATION, MANY, MAP, PLACE
from bulksend.model import Duplicates, Endpoint
from bulksend.planning import PREVIEWS
from bulksend.sending import PHILIPPINES, Pace

DEFAULT_BASE_URL = engagespark.DEFAULT_BASE_URL

_PACE = Pace()


def _no_key_in_arguments(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.BadParameter(
            "the key is not taken from the command line, where every user of this machine can read it: put it into "
            "the environment as BULKSEND_API_KEY, name a file that holds it with --api-key-file, or a command that "
            "prints it with --api-key-command",
            ctx,
            param,
        )


VERBOSE = option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show all remarks, also beyond one page; and without a terminal numbers and texts of people.",
)
TELLS_ALL = option("-v", "--verbose", is_flag=True, help="Show numbers of people also where no terminal is.")
QUIET = option("-q", "--quiet", is_flag=True, help="Say nothing but errors; what must be asked is asked.")
COUNTRY = option("--country", metavar="PH", help="Country of numbers that are written without + or 00.")
PLAN = Group(
    "planned",
    PlanSettings,
    (
        option("--from", "sender", metavar="ID", help="Sender id; may hold merge fields such as {Store}."),
        option("--message", metavar="TEXT", help="Text of rows without one of their own; {Column Name} is filled in."),
        option("--message-file", metavar="F", type=click.Path(path_type=Path), help="A file that holds the text."),
        option(
            "--map",
            "mapping",
            metavar="FIELD=COLUMN",
            type=MAP,
            multiple=True,
            help="Which column is to, contactId, message or from, if it has another name. Several for one field are "
            "tried in this order; `--map message=` says that none is it. Repeatable.",
        ),
        option(
            "--only",
            metavar="COLUMN=VALUE[,VALUE]",
            type=CHOICE,
            multiple=True,
            help="Send only to rows that have one of these values in this column. Repeatable.",
        ),
        option(
            "--skip",
            metavar="COLUMN=VALUE[,VALUE]",
            type=CHOICE,
            multiple=True,
            help="Leave out rows that have one of these values in this column. Repeatable.",
        ),
        COUNTRY,
        option(
            "--countries",
            metavar="PH,US",
            type=COUNTRIES,
            help="Leave out numbers of other countries than these.  [default: none]",
        ),
        option(
            "--allow-new-prefixes",
            is_flag=True,
            default=None,
            help="Send also to mobiles whose prefix the numbering plans here do not know yet.",
        ),
        option(
            "--encoding", metavar="NAME", help="The input's character encoding, such as cp1252.  [default: found out]"
        ),
        option("--delimiter", metavar="C", help="What separates the input's columns: a character, or the word tab."),
        option(
            "--sheet",
            metavar="NAME|N",
            help="Which sheet of a workbook.  [default: the first that has a column for the recipient]",
        ),
        option(
            "--header-row",
            metavar="N",
            type=click.IntRange(min=1),
            help="The line of the sheet that names its columns.  [default: found out]",
        ),
        option("--visible-only", is_flag=True, help="Leave out the rows that the workbook does not show."),
        option(
            "--rates",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Prices by number prefix, .csv or .toml; `bulksend rates learn` makes one.",
        ),
        option(
            "--gsm/--no-gsm",
            default=None,
            help="Replace typographic characters by plain ones where a text is then GSM-7.  [default: leave them]",
        ),
        option(
            "--exclude",
            metavar="FILE|RUN",
            type=PLACE,
            multiple=True,
            help="Leave out whose number is in this list, or whom this run sent to. Repeatable.",
        ),
        option(
            "--duplicates",
            type=click.Choice([choice.value for choice in Duplicates]),
            help="Rows with number and text of an earlier one.  [default: send, and warn]",
        ),
        option(
            "--one-per-number",
            is_flag=True,
            default=None,
            help="Of several rows to one phone send the first only.  [default: all, and warn]",
        ),
        option(
            "--endpoint",
            type=click.Choice([endpoint.value for endpoint in Endpoint]),
            default=Endpoint.CONTACT.value,
            show_default=True,
            help="Send to contacts (which knows contactIds) or to bare numbers.",
        ),
        option(
            "--preview",
            metavar="N",
            type=click.IntRange(0, 1_000),
            default=PREVIEWS,
            show_default=True,
            help="How many messages are shown, beside the longest and the dearest; 0 shows none.",
        ),
        option("--strict", is_flag=True, help="Remarks on texts and senders are errors; docs/rules.md tells which."),
        option("--campaign", metavar="ID", help="Makes the dedup keys the same on every machine. Default: random."),
    ),
)
DATABASE = option(
    "--database",
    metavar="DATABASE",
    type=values.DATABASE,
    help="The database that the account lives in, like postgresql://user@host/db.  [default: files of this machine]",
)
ORG_ID = option("--org-id", metavar="N", type=click.IntRange(min=1), help="The organization's id.")
BASE_URL = option("--base-url", metavar="URL", default=DEFAULT_BASE_URL, show_default=True, help="The API's address.")
ACCOUNT = Group("account", AccountSettings, (ORG_ID, BASE_URL, DATABASE))
TARGET = Group(
    "to",
    TargetSettings,
    (
        ORG_ID,
        option("--base-url", metavar="URL", help=f"The API's address.  [default: {DEFAULT_BASE_URL}]"),
        option(
            "--sandbox",
            is_flag=True,
            help="Rehearse: send to a private local server instead, into NAME.sandbox.run; needs no key.",
        ),
        option("--api-key-file", metavar="F", type=click.Path(path_type=Path), help="A file that holds the API key."),
        option("--api-key-command", metavar="CMD", help="A command that prints the API key; no shell is asked."),
        click.option("--api-key", hidden=True, expose_value=False, callback=_no_key_in_arguments),
    ),
)
PACE = Group(
    "paced",
    PaceSettings,
    (
        option(
            "--concurrency",
            metavar="auto|N",
            type=AT_ONCE,
            default="auto",
            show_default=True,
            help="Requests under way at once; auto finds out how many the server takes.",
        ),
        option(
            "--concurrency-max",
            metavar="N",
            type=MANY,
            help="auto goes no higher.  "
            f"[default: {_PACE.most}, or {_PACE.most_unproven} where clientDedup is not proven]",
        ),
        option(
            "--rate",
            metavar="N",
            type=click.FloatRange(min=0, min_open=True),
            help="Messages per second of the whole account.  [default: no limit]",
        ),
        option(
            "--cap",
            "caps",
            metavar="PREFIX=COUNT/SECONDS",
            type=CAP,
            multiple=True,
            help=f"A telco's limit for one phone number. Repeatable.  [default: {PHILIPPINES}]",
        ),
        option(
            "--cap-counts",
            type=click.Choice(["parts", "messages"]),
            default="parts",
            show_default=True,
            help="What counts against a cap.",
        ),
        option(
            "--timeout",
            metavar="S",
            type=click.FloatRange(min=0, min_open=True),
            default=_PACE.timeout_s,
            show_default=True,
            help="Seconds that one request may take.",
        ),
        option(
            "--retries",
            metavar="N",
            type=click.IntRange(min=0),
            default=_PACE.retries,
            show_default=True,
            help="How often a message that was certainly not sent is tried again.",
        ),
        option(
            "--patience",
            metavar="TIME",
            type=DURATION,
            default="10m",
            show_default=True,
            help="How long the server may be away, such as 90s, 10m or 1h, before the run gives up for now.",
        ),
    ),
)
REPEATS = Group(
    "again",
    RepeatSettings,
    (
        option(
            "--repeat",
            is_flag=True,
            help="Send again what earlier runs sent already, also those whose files are gone.",
        ),
        option(
            "--repeat-after",
            metavar="TIME",
            type=DURATION,
            default="20h",
            show_default=True,
            help="For how long the same text to the same number is a slip, and left out.",
        ),
        option(
            "--not-within",
            metavar="TIME",
            type=DURATION,
            help="Leave out who got anything for so long, such as 7d.",
        ),
        option(
            "--exclude-dead",
            is_flag=True,
            help="Leave out phones that the last two runs did not reach, by the receipts that were fetched.",
        ),
    ),
)
FILES = Group(
    "files",
    FileSettings,
    (
        option(
            "--run",
            metavar="RUN",
            type=PLACE,
            help="The run: a file, or a name in a database as in postgresql://user@host/db#june.  "
            "[default: INPUT's .run]",
        ),
        option(
            "--results",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="The results, .csv, .jsonl or .xlsx.  [default: the run's .results.csv]",
        ),
    ),
)
