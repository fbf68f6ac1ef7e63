"""A whole input planned: every row into a sink, or only counted."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bulksend.errors import Advice, InputError
from bulksend.model import Duplicates, Recipient, Status
from bulksend.planning.batch import PlannedColumns
from bulksend.planning.lines import Lines
from bulksend.planning.looks import recipient_names
from bulksend.planning.overview import Plan
from bulksend.planning.own_results import check_no_results
from bulksend.planning.planner import Planner, PlanOptions
from bulksend.planning.reading import Source, shown
from bulksend.planning.repeats import RepeatedMessage
from bulksend.planning.survey import ANOTHER, DUPLICATE, Survey

_FREED = 4 << 20  # bytes, none of which is touched


class PlannedRows(Protocol):
    """Rows that follow one another, as a sink takes them; a `PlannedBatch` is such."""

    def columns(self) -> PlannedColumns:
        """As they are kept."""

    def counts(self) -> Mapping[Status, int]:
        """How many of them there are of each status."""


class PlanSink(Protocol):
    """Whatever keeps a plan."""

    def add(self, rows: PlannedRows) -> None:
        """Keep the next rows, in input order."""

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]], alike: Iterable[int]) -> None:
        """Keep that a recipient gets more than one message.

        Args:
            recipient: who.
            messages: (row, parts) of each.
            alike: the rows among them that have the text of another, in order.
        """

    def skip(self, rows: Iterable[int], says: str) -> None:
        """Leave rows out after all, which were added as pending."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What was seen of an input while it was planned.

    Attributes:
        plan: the plan, summed up.
        columns: the input's own column names, in order.
        digest: SHA-256 of the input's bytes, hexadecimal.
        lines: the rows' lines in their sheet, as far as it is one.
    """

    plan: Plan
    columns: tuple[str, ...]
    digest: str
    lines: Lines = field(compare=False)


def plan_into(source: Source, options: PlanOptions, sink: PlanSink | None) -> Planned:
    """Read, check and price all rows of an input.

    Args:
        source: the input, just opened.
        options: what decides how rows become messages.
        sink: gets the plan; None to count only, so that rows that repeat another are counted, never skipped.

    Raises:
        UsageError: the input or the options cannot be used; what the sink has got is no whole plan.
    """
    with _streaming():
        reader = source.reader(recipient_names(options.mapping))
        check_no_results(source.name, reader.columns)
        planner = _planner(source, options, reader.columns, fixed=reader.is_fixed)
        survey = Survey(source.name, options, planner.columns)
        for raw in reader.batches():
            if not reader.is_fixed:
                check_no_results(source.name, reader.columns)
            batch = planner.plan(raw, reader.columns)
            survey.add(batch)
            if sink:
                sink.add(batch)
        if not survey.rows:
            raise InputError(f"{shown(source.name)}: there are no rows, only a header")
        planner.check()
        digest = source.digest()  # is it still the file that it was?
        for recipient, messages, copies in survey.repeats():
            if sink:
                _note_repeats(sink, recipient, messages, copies, options)
    if options.duplicates is Duplicates.FAIL:
        _refuse_duplicates(source, survey)
    notes = [*source.notes, *planner.notes, *options.exclusions.notes]
    plan = survey.plan(survey.findings(notes, planner.warnings))
    return Planned(plan, tuple(reader.columns), digest, survey.lines)


@contextmanager
def _streaming() -> Iterator[None]:
    """Spare the cycle collector the millions of cells that pass, and the system what one batch frees for the next.

    Cells form no cycles. And glibc gives the end of its heap back from 128 KB on, as much as a batch has, which costs
    nearly as much time as planning, unless larger blocks were freed before: then from twice the largest on
    (mallopt(3)).
    """
    bytes(_FREED)
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _planner(source: Source, options: PlanOptions, columns: Sequence[str], *, fixed: bool) -> Planner:
    try:
        return Planner(source.name, options, columns, fixed=fixed)
    except InputError as error:  # the way it was read may be to blame: another sheet, another delimiter
        says = f"{error}{''.join(f' ({note.says})' for note in source.notes)}"
        raise InputError(says, error.advice, **error.about) from error


def _note_repeats(
    sink: PlanSink,
    recipient: Recipient,
    messages: Sequence[RepeatedMessage],
    copies: Mapping[int, int],
    options: PlanOptions,
) -> None:
    skipped: Collection[int] = ()
    says, kept = DUPLICATE, messages[0].row
    if options.one_per_number:
        skipped, says = [message.row for message in messages[1:]], f"{ANOTHER}: row {kept}"
    elif options.duplicates is Duplicates.SKIP:
        skipped = copies
    alike = () if skipped else sorted({*copies, *copies.values()})
    left = [(message.row, message.parts) for message in messages if message.row not in skipped]
    if len(left) > 1:
        sink.add_repeats(recipient, left, alike)
    if skipped:
        sink.skip(skipped, says)


def _refuse_duplicates(source: Source, survey: Survey) -> None:
    if survey.duplicates.rows:
        repeated = f"{survey.duplicates.count('has', 'have')} the same number and text as an earlier one"
        raise InputError(
            f"{shown(source.name)}: {repeated}: {survey.duplicates}",
            Advice.SETTLE_DUPLICATES,
        )
