"""The options that commands share, and what they become."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from bulksend.cli.settings import api_key, option
from bulksend.errors import UsageError
from bulksend.model import Duplicates, Endpoint, MicroUSD
from bulksend.planning.columns import FIELDS
from bulksend.planning.exclusions import read_exclusions
from bulksend.planning.planner import PlanOptions
from bulksend.planning.reading import ReadOptions
from bulksend.sending import PHILIPPINES, Cap, Caps, ErrorLimit, Pace
from bulksend.sms.rates.file import read_rates
from bulksend.sms.rates.table import EXAMPLE_RATES
from bulksend.sms.template import column_key

DEFAULT_BASE_URL = "https://api.engagespark.com"
SANDBOX_ORG_ID = 1

T = TypeVar("T")
_F = TypeVar("_F", bound=Callable[..., Any])
_PACE = Pace()


class _Parsed(click.ParamType[T]):
    """An option whose text the core itself knows how to read."""

    envvar_list_splitter = ","

    def __init__(self, name: str, kind: type[T], parse: Callable[[str], T]) -> None:
        self.name = name
        self._kind = kind
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        try:
            return value if isinstance(value, self._kind) else self._parse(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class _MapType(click.ParamType[tuple[str, str]]):
    name = "field=column"
    envvar_list_splitter = ","

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        field, equals, column = str(value).partition("=")
        known = {column_key(name): name for name in FIELDS}
        name = known.get(column_key(field))
        if not equals or not column.strip() or name is None:
            self.fail(f"{value!r}: write FIELD=COLUMN, with one of the fields {', '.join(FIELDS)}", param, ctx)
        return name, column.strip()


class _UsdType(click.ParamType[MicroUSD]):
    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> MicroUSD:
        try:
            micro = Decimal(str(value).strip().removeprefix("$")) * 1_000_000
        except InvalidOperation:
            micro = Decimal(0)
        if not micro.is_finite() or micro <= 0:
            self.fail(f"{value!r} is no amount of US dollars: write one such as 25 or 12.50", param, ctx)
        return MicroUSD(int(micro))


class _PathType(click.Path):
    envvar_list_splitter = ","  # as for all other repeatable options


CAP = _Parsed("prefix=count/seconds", Cap, Cap.parse)
ERROR_LIMIT = _Parsed("number or share", ErrorLimit, ErrorLimit.parse)
USD = _UsdType()


def _no_key_in_arguments(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.BadParameter(
            "the key is not taken from the command line, where every user of this machine can read it: put it into "
            "the environment as BULKSEND_API_KEY, or name a file that holds it with --api-key-file",
            ctx,
            param,
        )


PLAN_OPTIONS = (
    option("--from", "sender", metavar="ID", help="Sender id; may hold merge fields such as {Store}."),
    option("--message", metavar="TEXT", help="Text of rows without one of their own; {Column Name} is filled in."),
    option("--message-file", metavar="F", type=click.Path(path_type=Path), help="A file that holds the text."),
    option(
        "--map",
        "mapping",
        metavar="FIELD=COLUMN",
        type=_MapType(),
        multiple=True,
        help="Which column is to, contactId, message or from, if it has another name. Repeatable.",
    ),
    option("--country", metavar="PH", help="Country of numbers that are written without a dialing code."),
    option("--encoding", metavar="NAME", help="The input's character encoding, such as cp1252.  [default: found out]"),
    option("--delimiter", metavar="C", help="What separates the input's columns: a character, or the word tab."),
    option("--sheet", metavar="NAME|N", help="Which sheet of a workbook.  [default: the first that is not empty]"),
    option(
        "--rates",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Prices by number prefix, .csv or .toml; `bulksend rates learn` makes one.",
    ),
    option("--gsm", is_flag=True, help="Replace typographic characters by plain ones where a text is then GSM-7."),
    option(
        "--exclude",
        metavar="FILE",
        type=_PathType(path_type=Path),
        multiple=True,
        help="Leave out whose number is in this list. Repeatable.",
    ),
    option(
        "--duplicates",
        type=click.Choice([choice.value for choice in Duplicates]),
        help="Rows with number and text of an earlier one.  [default: send, and warn]",
    ),
    option(
        "--endpoint",
        type=click.Choice([endpoint.value for endpoint in Endpoint]),
        default=Endpoint.CONTACT.value,
        show_default=True,
        help="Send to contacts (which knows contactIds) or to bare numbers.",
    ),
    option("--campaign", metavar="ID", help="Makes the dedup keys the same on every machine. Default: random."),
)
TARGET_OPTIONS = (
    option("--org-id", metavar="N", type=click.IntRange(min=1), help="The organization's id."),
    option("--base-url", metavar="URL", help=f"The API's address.  [default: {DEFAULT_BASE_URL}]"),
    option("--sandbox", is_flag=True, help="Send to a private local server instead; needs no key."),
    option("--api-key-file", metavar="F", type=click.Path(path_type=Path), help="A file that holds the API key."),
    click.option("--api-key", hidden=True, expose_value=False, callback=_no_key_in_arguments),
)
PACE_OPTIONS = (
    option(
        "--concurrency",
        metavar="N",
        type=click.IntRange(1, 10_000),
        default=_PACE.concurrency,
        show_default=True,
        help="Requests under way at once.",
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
)
FILE_OPTIONS = (
    option("--run", metavar="FILE", type=click.Path(path_type=Path), help="The run file.  [default: INPUT's .run]"),
    option(
        "--results",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The results, .csv or .jsonl.  [default: INPUT's .results.csv]",
    ),
)


def with_options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[_F], _F]:
    """Give a command groups of options, in this order of its help."""

    def decorate(function: _F) -> _F:
        for group in reversed(groups):
            for decorator in reversed(group):
                function = decorator(function)
        return function

    return decorate


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, as far as the options say; a run file may know the rest.

    Attributes:
        org_id: None if not given.
        base_url: None if not given; empty for a private sandbox.
    """

    org_id: int | None
    base_url: str | None


def destination(given: dict[str, Any]) -> Destination:
    """Where to, from the options.

    Raises:
        UsageError: both a sandbox and an address are given.
    """
    base_url = given["base_url"]
    if not given["sandbox"]:
        return Destination(given["org_id"], base_url.rstrip("/") if base_url else None)
    if base_url and click.get_current_context().get_parameter_source("base_url").name == "COMMANDLINE":  # type: ignore[union-attr]
        raise UsageError("--sandbox starts a server of its own: leave --base-url out")
    return Destination(given["org_id"] or SANDBOX_ORG_ID, "")


def key(given: dict[str, Any]) -> str:
    """The API key.

    Raises:
        UsageError: there is none.
    """
    return api_key(given["api_key_file"], click.get_current_context().get_parameter_source("api_key_file"))


def files_read(given: dict[str, Any]) -> list[Path]:
    """The files that a command reads beside the input, and must not write over."""
    named = (given["message_file"], given["rates"], given["api_key_file"])
    return [*given["exclude"], *(path for path in named if path is not None)]


def key_if_any(given: dict[str, Any]) -> str | None:
    """The API key, or None if there is none; a file that is named for it must hold one."""
    try:
        return key(given)
    except UsageError:
        if given["api_key_file"] is not None:
            raise
        return None


def plan_options(given: dict[str, Any]) -> PlanOptions:
    """What decides how rows become messages.

    Raises:
        UsageError: the message's file cannot be read, or the message is given twice.
    """
    for name in ("sender", "message", "campaign"):
        if not _is_text(given[name]):
            raise UsageError(f"the text given for --{'from' if name == 'sender' else name} is not UTF-8")
    fields = [field for field, _ in given["mapping"]]
    for field in fields:
        if fields.count(field) > 1:
            raise UsageError(f"--map gives two columns for {field!r}: leave one out")
    country = given["country"].upper() if given["country"] else None
    exclusions = read_exclusions(given["exclude"], country)
    return PlanOptions(
        reading=ReadOptions(given["encoding"], _delimiter(given["delimiter"]), given["sheet"]),
        sender=given["sender"],
        message=_message(given["message"], given["message_file"]),
        mapping=tuple(sorted(given["mapping"])),
        country=country,
        endpoint=Endpoint(given["endpoint"]),
        rates=read_rates(given["rates"]) if given["rates"] else EXAMPLE_RATES,
        gsm=given["gsm"],
        duplicates=Duplicates(given["duplicates"]) if given["duplicates"] else None,
        exclusions=exclusions,
    )


def pace(given: dict[str, Any]) -> Pace:
    """How fast."""
    return Pace(
        concurrency=given["concurrency"],
        rate=given["rate"],
        timeout_s=given["timeout"],
        retries=given["retries"],
        grace_s=min(_PACE.grace_s, given["timeout"]),
    )


def caps(given: dict[str, Any]) -> Caps:
    """The telcos' caps."""
    return Caps(given["caps"])


def _is_text(value: str | None) -> bool:
    try:
        (value or "").encode()
    except UnicodeEncodeError:  # the shell gave bytes that are no text
        return False
    return True


def given_endpoint(given: dict[str, Any]) -> Endpoint | None:
    """The endpoint, if somebody chose it; None if it is the default."""
    chosen = click.get_current_context().get_parameter_source("endpoint") is not ParameterSource.DEFAULT
    return Endpoint(given["endpoint"]) if chosen else None


def _delimiter(text: str | None) -> str | None:
    return "\t" if text in ("tab", "\\t") else text


def _message(text: str | None, path: Path | None) -> str | None:
    if text is not None and path is not None:
        source = click.get_current_context().get_parameter_source
        ranks = {name: source(name).value for name in ("message", "message_file")}  # type: ignore[union-attr]
        if ranks["message"] == ranks["message_file"]:
            raise UsageError("both --message and --message-file are given: leave one out")
        if ranks["message"] < ranks["message_file"]:
            path = None  # the command line goes before the environment, and that before bulksend.toml
    if path is None:
        return text
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the message cannot be read from it: {error.strerror}") from error
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding).replace("\r\n", "\n").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: the message in it is not UTF-8 text: save the file as UTF-8") from error
