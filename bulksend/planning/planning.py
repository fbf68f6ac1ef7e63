"""A plan for a send: made of an input, or found in a run file that has begun and is still the same campaign."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bulksend.errors import InputError, OwnedError, UsageError
from bulksend.model import Duplicates, Endpoint
from bulksend.planning.overview import Plan
from bulksend.planning.planner import PlanOptions
from bulksend.planning.reading import STDIN, Source
from bulksend.planning.sink import plan_into
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.file import PlanFacts, PlanWriter, is_run_file, readdress
from bulksend.runs.sqlite.reader import RunReport


@dataclass(frozen=True, slots=True)
class Address:
    """Where a plan goes, apart from the key: what a run may not change once it has begun.

    Attributes:
        org_id: the organization's id.
        base_url: the API's address; empty for a private sandbox, which has a new one each time.
    """

    org_id: int
    base_url: str


@dataclass(frozen=True, slots=True)
class Paths:
    """A run's files.

    Attributes:
        run: the run file.
        results: where its results go.
    """

    run: Path
    results: Path

    @classmethod
    def beside(cls, input_name: str, run: Path | None = None, results: Path | None = None) -> Paths:
        """The default names: ``campaign.csv`` gives ``campaign.run`` and ``campaign.results.csv`` beside it."""
        given = Path("stdin") if input_name == STDIN else Path(input_name)
        if not given.name:
            raise InputError(f"{input_name!r}: this is a folder, not a file")
        if is_run_file(given):
            run = given
        run = run or given.with_suffix(".run")
        return cls(run, results or given.with_suffix(".results.csv"))


def survey(input_name: str, options: PlanOptions) -> Plan:
    """Read, check and price a whole input without keeping it; duplicates are counted, never skipped.

    Raises:
        UsageError: the input or the options cannot be used.
    """
    with closing(Source(input_name, options.reading)) as source:
        return plan_into(source, options, None).plan


def plan(input_name: str, run: Path, options: PlanOptions, address: Address, campaign: str | None = None) -> FileLock:
    """Read, check and price a whole input into a new run file; nothing is sent.

    Args:
        input_name: the input's file, or "-" for standard input.
        run: the run file; one under this name is replaced, so see first that it has not begun.
        options: what decides how rows become messages.
        address: where they will go.
        campaign: the dedup keys' beginning; random if not given.

    Returns:
        The run file's lock.

    Raises:
        UsageError: the input or the options cannot be used.
        OwnedError: another process is at work on the run.
        RunFileError: the run file cannot be written.
    """
    with closing(Source(input_name, options.reading)) as source:
        writer = PlanWriter(run)
        try:
            planned = plan_into(source, options, writer)
            facts = facts_of(input_name, planned.digest, planned.columns, options, address, campaign)
            return writer.finish(facts, planned.plan.findings, planned.counts)
        except BaseException:
            writer.discard()
            raise


def facts_of(
    input_name: str,
    digest: str,
    columns: tuple[str, ...],
    options: PlanOptions,
    address: Address,
    campaign: str | None,
) -> PlanFacts:
    """What a plan with these options is made of."""
    return PlanFacts(
        input_name=os.fsencode(input_name).decode(errors="replace"),
        input_digest=digest,
        columns=columns,
        sender=options.sender,
        template=options.message,
        mapping=options.mapping,
        country=options.country,
        reading=_reading(options),
        gsm=options.gsm,
        duplicates=options.duplicates or Duplicates.SEND,
        exclusion=options.exclusions.digest,
        endpoint=options.endpoint,
        org_id=address.org_id,
        base_url=address.base_url,
        campaign=campaign or uuid.uuid4().hex,
        plan_id=uuid.uuid4().hex,
    )


def _reading(options: PlanOptions) -> tuple[str | None, str | None, str | None]:
    return options.reading.encoding, options.reading.delimiter, options.reading.sheet


def reopen(run: Path, input_name: str, options: PlanOptions, address: Address, campaign: str | None) -> FileLock | None:
    """Go on with a run that has begun, if it is the same campaign; None if there is nothing to go on with.

    A plan of which nothing can have been accepted yet is not gone on with: planning anew cannot send anything twice,
    and sees what was corrected in the input and the options meanwhile.

    Raises:
        UsageError: the run has begun with another input or other options.
        OwnedError: another process is at work on it.
    """
    if not run.parent.is_dir():
        raise UsageError(f"{run}: the folder {run.parent} does not exist")
    if not run.exists():
        return None
    lock = own(run)
    try:
        with RunReport(run) as opened:
            if not opened.is_begun:
                lock.release()
                return None
            planned = opened.facts
        source = Source(input_name, options.reading)
        try:
            given = facts_of(
                input_name, source.digest(), planned.columns, options, address, campaign or planned.campaign
            )
        finally:
            source.close()
        changed = list(differences(planned, given))
        if changed:
            raise UsageError(_refusal(run, planned, given, changed))
    except BaseException:
        lock.release()
        raise
    return lock


def _refusal(run: Path, planned: PlanFacts, given: PlanFacts, changed: Sequence[str]) -> str:
    """Why a run is not gone on with, and what to do."""
    begun = f"{run}: this run has begun with {' and '.join(changed)}. "
    if not planned.base_url and given.base_url:
        return begun + "If it was a rehearsal: delete it, or give the real run a file of its own with --run"
    corrected = ""
    if planned.input_digest != given.input_digest:
        corrected = (
            "If rows were corrected: put these alone into a sheet of their own, for the others would be sent twice. "
        )
    return (
        f"{begun}{corrected}To go on with it as it was planned: bulksend send {run}. To start another run: give it a "
        "file of its own with --run"
    )


def differences(planned: PlanFacts, given: PlanFacts) -> Iterator[str]:
    """What of a plan is not as it was, in words that follow "this run has begun with"."""
    names = {
        "input_digest": "another content of the input",
        "sender": "another --from",
        "template": "another message",
        "mapping": "another --map",
        "country": "another --country",
        "reading": "another --encoding, --delimiter or --sheet",
        "gsm": "another --gsm",
        "duplicates": "another --duplicates",
        "exclusion": "another --exclude",
        "endpoint": "another --endpoint",
        "org_id": "another --org-id",
        "campaign": "another --campaign",
    }
    for name, words in names.items():
        if getattr(planned, name) != getattr(given, name):
            yield words
    if planned.base_url != given.base_url:
        yield f"{planned.base_url or 'a private sandbox (--sandbox)'} as its server"


def check_replaceable(run: Path) -> None:
    """See that a new plan may take a run file's name.

    Raises:
        UsageError: it is another file, or the run has begun.
        OwnedError: another process is at work on it.
    """
    if not run.parent.is_dir():
        raise UsageError(f"{run}: the folder {run.parent} does not exist")
    if not run.exists():
        return
    with own(run), RunReport(run) as opened:
        if opened.is_begun:
            raise UsageError(f"{run}: this run has begun: give the new plan a file of its own")


def own_as_planned(
    run: Path,
    options: PlanOptions,
    *,
    endpoint: Endpoint | None = None,
    org_id: int | None = None,
    base_url: str | None = None,
    campaign: str | None = None,
) -> FileLock:
    """Take a run file for sending exactly what it holds; what is not given is as planned.

    Where it goes can still be said as long as nothing can have been accepted: the plan may be a saved estimate.

    Raises:
        UsageError: an option is given that says otherwise than the plan, or it is not known where to send.
        OwnedError: another process is at work on it.
    """
    lock = own(run)
    try:
        with RunReport(run) as opened:
            planned, is_begun = opened.facts, opened.is_begun
        if base_url is None and not planned.base_url:
            raise UsageError(f"{run}: this run is for a private sandbox: add --sandbox; for a real run, plan anew")
        address = (org_id or planned.org_id, planned.base_url if base_url is None else base_url)
        if not is_begun:
            planned = replace(planned, org_id=address[0], base_url=address[1])
        given = replace(
            planned,
            sender=options.sender or planned.sender,
            template=options.message or planned.template,
            mapping=options.mapping or planned.mapping,
            country=options.country or planned.country,
            reading=_reading(options) if any(_reading(options)) else planned.reading,
            gsm=options.gsm or planned.gsm,
            duplicates=planned.duplicates if options.duplicates is None else options.duplicates,
            exclusion=options.exclusions.digest or planned.exclusion,
            endpoint=endpoint or planned.endpoint,
            org_id=address[0],
            base_url=address[1],
            campaign=campaign or planned.campaign,
        )
        changed = list(differences(given, planned))
        if changed:
            raise UsageError(f"{run}: this run was not planned with {' and '.join(changed)}: leave that out")
        if not is_begun:
            readdress(run, *address)
    except BaseException:
        lock.release()
        raise
    return lock


def own(run: Path) -> FileLock:
    """Take a run file for sending.

    Raises:
        UsageError: there is no such run file.
        OwnedError: another process has it; the sentence says which.
    """
    with RunReport(run) as opened:
        owner = opened.owner
    try:
        return FileLock(run)
    except OwnedError as error:
        named = f" ({owner})" if owner else ""
        raise OwnedError(f"{run}: another bulksend process is at work on this run{named}") from error
