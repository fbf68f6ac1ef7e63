"""``send --test-to``: the real text of a row goes to one's own phone, and the command ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import SendOptions, Trial
from bulksend.cli import codes, options, people, summary
from bulksend.cli.advice import advised, stop_words
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import REHEARSAL, tell_error
from bulksend.cli.far_view import far_lines
from bulksend.cli.given import PlanSettings, TargetSettings
from bulksend.cli.row_view import of_row
from bulksend.cli.run_view import stopped
from bulksend.cli.sending import agreed, check_can_ask, check_own_address, run_loop, send_watched, target_of
from bulksend.cli.strictness import check_strict
from bulksend.cli.watch import Watch
from bulksend.engagespark import Looked, Target
from bulksend.errors import Advice, StoppedError, UsageError
from bulksend.model import Endpoint, PhoneNumber, Status
from bulksend.planning import Lines
from bulksend.runs import Address, RowTold, Run, names_run, open_run, place_of
from bulksend.sms import dollars, phones
from bulksend.words import many, printable


def send_trial(
    input_name: str,
    number: str,
    row: int | None,
    to: TargetSettings,
    planned: PlanSettings,
    how: SendOptions,
    out: Console,
    *,
    yes: bool,
    wait: bool,
    hides_progress: bool,
    as_json: bool,
) -> ExitCode:
    """Send the text of a row, the first that can be sent if none is named, to a number, and tell how that went.

    Raises:
        UsageError: there is no such row, it has no text, or the number is none.
        OwnedError: another run is sending for the account.
    """
    check_can_ask(yes=yes)
    wanted = planned.options()
    with _planned_run(input_name, to, planned) as (run, address):
        check_strict(run.plan(1).findings, wanted.lint.allow, is_strict=planned.strict)
        target = target_of(to, address, Endpoint(run.facts.endpoint))
        phone = _phone(number, planned.country or run.facts.country)
        trial = campaign.trial_of(run, row, phone, replace(wanted, countries=wanted.countries or run.facts.countries))
    place = REHEARSAL if address.is_rehearsal else f"{address.base_url}, organization {address.org_id}"
    for line in far_lines():
        out.print(line, style="yellow", soft_wrap=True)
    out.print(f"Row {trial.row} to {trial.phone}{_sender(trial)}, {_size(trial)}, by {place}:", soft_wrap=True)
    if people.are_hidden(out):
        out.print(people.TEXT_LEFT_OUT)
    else:
        for line in trial.text.splitlines():
            out.print(f"  {printable(line, 1_000)}", soft_wrap=True)
    with (
        campaign.trial_run(trial, address) as own,
        campaign.held_account(
            target, own, Watch(out, hides_progress=True).hear, wait=wait, where=trial.where
        ) as account,
    ):
        if target is not None:
            _check_key(target)
        if not yes and not agreed(f"Send this one text ({_size(trial)})?", out):
            return ExitCode.STOPPED
        ended = send_watched(
            own, account, target, replace(how, limit=None, is_trial=True), out, hides_progress=hides_progress
        )
        (told,) = own.told([1])
    code = codes.of_end(ended)
    out.print(_outcome(trial, told, out, is_rehearsal=address.is_rehearsal), soft_wrap=True)
    if ended.stop:
        tell_error(out, f"Stopped early: {stopped(ended.stop, out)}")
    if as_json:
        summary.write_end(of_row(told._replace(row=trial.row), Lines()) | {"exit": int(code)})
    return code


@contextmanager
def _planned_run(input_name: str, to: TargetSettings, planned: PlanSettings) -> Iterator[tuple[Run, Address]]:
    """The plan that the row is taken from, and where it goes; a run that has begun is not looked at."""
    org_id, base_url = to.address
    place = place_of(input_name)
    if names_run(place):
        with open_run(place) as run:
            facts = run.facts
            if base_url is None and facts.address.is_rehearsal:
                raise UsageError(f"{place}: this run is for a private sandbox", Advice.SEND_TO_SANDBOX)
            check_own_address(to, run)
            address = Address(org_id or facts.org_id, facts.base_url if base_url is None else base_url)
            to.check(address)
            yield run, address
        return
    address = Address(org_id or 0, options.DEFAULT_BASE_URL if base_url is None else base_url)
    to.check(address)
    request = planned.request(input_name, planned.options(), address)
    with (
        tempfile.TemporaryDirectory(prefix="bulksend-") as folder,
        campaign.plan(request, Path(folder) / "plan.run") as run,
    ):
        yield run, address


def _check_key(target: Target) -> None:
    """See that the API does not refuse the key, before a question is asked for nothing.

    Raises:
        StoppedError: it does.
    """
    if run_loop(campaign.balance(target)) is Looked.REFUSED:
        raise StoppedError(f"nothing was sent: {stop_words(campaign.KEY_REFUSED)}")


def _phone(text: str, country: str | None) -> PhoneNumber:
    try:
        return phones.normalise(text, country, new_prefixes=True)
    except phones.BadNumber as error:
        raise click.BadParameter(f"{printable(text)}: {advised(error.why)}", param_hint="--test-to") from error


def _sender(trial: Trial) -> str:
    return f" from {printable(trial.sender)}" if trial.sender else ""


def _size(trial: Trial) -> str:
    price = "no rate known" if trial.price is None else f"{dollars(trial.price)} estimated"
    return f"{many(trial.parts, 'SMS part')}, {price}"


def _outcome(trial: Trial, told: RowTold, out: Console, *, is_rehearsal: bool) -> str:
    """What became of it."""
    if told.state == Status.SENT:
        if is_rehearsal:
            return f"The sandbox took it, as a rehearsal: nothing reached {trial.phone}."
        charged = "" if told.charged is None else f" for {dollars(told.charged)} by the API's words"
        said = of_row(told, Lines())
        return (
            f"Sent to {trial.phone}{charged}; messageId {printable(str(said['messageId']))}. It is no part of the run."
        )
    why = f": {people.foreign(told.error, out)}" if told.error else ""
    sure = "It may or may not have been sent" if told.state == Status.UNKNOWN else "It was not sent"
    return f"{sure} to {trial.phone}{why}"
