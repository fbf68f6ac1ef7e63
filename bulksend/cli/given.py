"""What was said on the command line, in the environment and in the settings, as typed objects; and what it becomes."""

from __future__ import annotations

import codecs
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from click.core import ParameterSource

from bulksend import campaign, planning, sms  # whose parts are loaded where they are used: most commands need few
from bulksend.cli.access import NoKeyError, missing
from bulksend.cli.key import api_key
from bulksend.cli.strictness import house_lint
from bulksend.errors import UsageError
from bulksend.model import Duplicates, Endpoint
from bulksend.runs import Address, Place, Terms, files_of
from bulksend.sending import Cap, Caps, Pace

if TYPE_CHECKING:
    from bulksend.campaign import PlanRequest

SANDBOX_ORG_ID = 1

_PACE = Pace()


class TargetSettings(NamedTuple):
    """Where to, and in whose name, as far as it is said; a run may know the rest."""

    org_id: int | None
    base_url: str | None
    sandbox: bool
    api_key_file: Path | None
    api_key_command: str | None

    @property
    def address(self) -> tuple[int | None, str | None]:
        """The organization's id and the API's address, None where nothing is said; empty for a private sandbox.

        Raises:
            UsageError: both a sandbox and an address are given.
        """
        if not self.sandbox:
            return self.org_id, self.base_url.rstrip("/") if self.base_url else None
        if self.base_url and _source("base_url") is ParameterSource.COMMANDLINE:
            raise UsageError("--sandbox starts a server of its own: leave --base-url out")
        return self.org_id or SANDBOX_ORG_ID, ""

    @property
    def files(self) -> list[Path]:
        """The files that are read for it."""
        return [] if self.api_key_file is None else [self.api_key_file]

    def key(self) -> str:
        """The API key.

        Raises:
            UsageError: there is none.
        """
        return api_key(click.get_current_context(), self.api_key_file, self.api_key_command)

    def check(self, address: Address) -> None:
        """See that nothing is missing that sending there takes, before a long plan is made.

        Raises:
            UsageError: the key or the organization's id is, or both; or the key is none.
        """
        lacks_key = False
        try:
            if address.base_url:
                self.key()
        except NoKeyError:
            lacks_key = True
        if lacks_key or not address.org_id:
            raise missing(key=lacks_key, organization=not address.org_id)

    def key_if_any(self) -> str | None:
        """The API key, or None if there is none; a file or a command that is named for it must give one."""
        try:
            return self.key()
        except UsageError:
            if self.api_key_file is not None or self.api_key_command is not None:
                raise
            return None


class AccountSettings(NamedTuple):
    """Whose account, where nothing is sent, and the database that it lives in."""

    org_id: int | None
    base_url: str
    database: str | None

    @property
    def address(self) -> Address:
        """The account.

        Raises:
            UsageError: it is not said which.
        """
        if self.org_id is None:
            raise missing(key=False, organization=True, can_rehearse=False)
        return Address(self.org_id, self.base_url.rstrip("/"))


class PlanSettings(NamedTuple):
    """What decides how rows become messages."""

    sender: str | None
    message: str | None
    message_file: Path | None
    mapping: tuple[tuple[str, str], ...]
    only: tuple[tuple[tuple[str, str], ...], ...]
    skip: tuple[tuple[tuple[str, str], ...], ...]
    country: str | None
    countries: tuple[str, ...] | None
    allow_new_prefixes: bool | None
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header_row: int | None
    visible_only: bool
    rates: Path | None
    gsm: bool | None
    exclude: tuple[Place, ...]
    duplicates: str | None
    one_per_number: bool | None
    endpoint: str
    preview: int
    strict: bool
    campaign: str | None

    @property
    def files(self) -> list[Path]:
        """The files that are read beside the input."""
        return [*files_of(*self.exclude), *(path for path in (self.message_file, self.rates) if path is not None)]

    @property
    def lint(self) -> planning.Lint:
        """What the house says of itself; see `house_lint`."""
        return house_lint()

    def options(self) -> planning.PlanOptions:
        """What planning wants to know.

        Raises:
            UsageError: a file cannot be read, or something is given twice.
        """
        only, skip = (tuple(sorted({*chain(*chosen)})) for chosen in (self.only, self.skip))
        chosen = (("only", "".join(chain(*only))), ("skip", "".join(chain(*skip))))
        texts = (("from", self.sender), ("message", self.message), ("campaign", self.campaign), *chosen)
        for name, text in texts:
            if not _is_text(text):
                raise UsageError(f"the text given for --{name} is not UTF-8")
        country = self.country.upper() if self.country else None
        return planning.PlanOptions(
            reading=planning.ReadOptions(
                self.encoding,
                _delimiter(self.delimiter),
                self.sheet,
                header_row=self.header_row,
                visible_only=self.visible_only,
            ),
            sender=self.sender,
            message=_message(self.message, self.message_file),
            mapping=tuple(sorted(self.mapping, key=itemgetter(0))),  # those of a field stay in their order
            only=only,
            skip=skip,
            country=country,
            countries=self.countries or (),
            new_prefixes=bool(self.allow_new_prefixes),
            endpoint=Endpoint(self.endpoint),
            rates=sms.read_rates(self.rates) if self.rates else sms.EXAMPLE_RATES,
            gsm=bool(self.gsm),
            duplicates=Duplicates(self.duplicates) if self.duplicates else None,
            one_per_number=bool(self.one_per_number),
            lint=self.lint,
            previews=self.preview,
            exclusions=campaign.exclusions(self.exclude, country, new_prefixes=bool(self.allow_new_prefixes)),
        )

    def request(self, input_name: str, options: planning.PlanOptions, address: Address) -> PlanRequest:
        """The campaign that is wanted of an input."""
        return campaign.PlanRequest(input_name, options, address, self.campaign)

    def terms(self, to: TargetSettings, options: planning.PlanOptions) -> Terms:
        """What is said of a run that is planned already."""
        org_id, base_url = to.address
        said = Terms.of(options, org_id=org_id, base_url=base_url, campaign=self.campaign)
        is_endpoint_said = _source("endpoint") is not ParameterSource.DEFAULT
        endpoint = self.endpoint if is_endpoint_said else None
        return replace(
            said,
            gsm=self.gsm,
            new_prefixes=self.allow_new_prefixes,
            one_per_number=self.one_per_number,
            endpoint=endpoint,
        )


class PaceSettings(NamedTuple):
    """How fast, and how stubbornly."""

    concurrency: int | None
    concurrency_max: int | None
    rate: float | None
    caps: tuple[Cap, ...]
    cap_counts: str
    timeout: float
    retries: int
    patience: float

    def options(self) -> campaign.SendOptions:
        """How it is sent, as far as this goes."""
        pace = Pace(
            concurrency=self.concurrency,
            most=self.concurrency_max or _PACE.most,
            most_unproven=self.concurrency_max or _PACE.most_unproven,
            rate=self.rate,
            timeout_s=self.timeout,
            retries=self.retries,
            patience_s=self.patience,
            grace_s=min(_PACE.grace_s, self.timeout),
        )
        return campaign.SendOptions(pace, Caps(self.caps), by_parts=self.cap_counts == "parts")


class RepeatSettings(NamedTuple):
    """What is sent again of what history holds."""

    repeat: bool
    repeat_after: float
    not_within: float | None
    exclude_dead: bool

    def options(self) -> campaign.Repeating:
        """What the campaign wants to know; the command begins now."""
        return campaign.Repeating(self.repeat, self.repeat_after, self.not_within, exclude_dead=self.exclude_dead)

    @property
    def is_said(self) -> bool:
        """Whether anything is said of it, so that what is left out is left out on purpose."""
        is_after_said = _source("repeat_after") is not ParameterSource.DEFAULT
        return self.repeat or is_after_said or self.not_within is not None or self.exclude_dead


class FileSettings(NamedTuple):
    """Where a campaign is kept, and its results."""

    run: Place | None
    results: Path | None


def _source(name: str) -> ParameterSource | None:
    """Where a parameter of the command that runs has its value from."""
    return click.get_current_context().get_parameter_source(name)


def _is_text(value: str | None) -> bool:
    try:
        (value or "").encode()
    except UnicodeEncodeError:  # the shell gave bytes that are no text
        return False
    return True


def _delimiter(text: str | None) -> str | None:
    return "\t" if text in ("tab", "\\t") else text


def _message(text: str | None, path: Path | None) -> str | None:
    if text is not None and path is not None:
        ranks = [source.value for name in ("message", "message_file") if (source := _source(name))]
        if ranks[0] == ranks[1]:
            raise UsageError("both --message and --message-file are given: leave one out")
        if ranks[0] < ranks[1]:
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
