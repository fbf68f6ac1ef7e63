"""How it went, and where a run stands: what was sent, what was not and why, and what to do next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bulksend.cli import people
from bulksend.cli.advice import stop_words
from bulksend.cli.console import MEANINGS, meaning_of, table
from bulksend.model import RowInDoubt, Status
from bulksend.planning import Tally
from bulksend.runs import Charge, Run
from bulksend.sending import Stop, StopReason
from bulksend.sms import dollars, phones
from bulksend.words import many, printable, time_of

if TYPE_CHECKING:
    from bulksend.campaign import Ended


_REASONS = 8  # of each kind, the commonest


_COUNTRIES = 8


_LISTED_ROWS = 20

_NOT_SENT = (Status.REJECTED, Status.FAILED, Status.UNKNOWN)


def show_end(out: Console, run: Run, ended: Ended, results: str) -> None:
    """How it went: what was sent, what was not and why, and what to do next."""
    tally = ended.tally
    title = "Stopped" if ended.stop else "Nothing was sent" if ended.is_all_left_out else "Done"
    rows = table(title + rehearsed(run))
    _add_statuses(rows, tally)
    _add_charges(rows, run.charges(), in_whose_words(run))
    pace = f", {ended.sent_now / ended.seconds:,.0f} SMS/s" if ended.sent_now and ended.seconds else ""
    rows.add_row("took", f"{time_of(ended.seconds)} for {many(ended.attempts_now, 'request')}{pace}")
    rows.add_row("results", f"{results} (of a rehearsal)" if run.facts.address.is_rehearsal else results)
    out.print(rows)
    _show_reasons(out, run, tally, _NOT_SENT)
    if ended.stop:
        out.print(f"Stopped early: {stopped(ended.stop, out)}", style="bold red", soft_wrap=True)
    elif ended.is_all_left_out:
        out.print("Earlier runs have sent all of this already.", style="bold red")
    elif ended.is_in_vain:
        out.print("Rows were tried, and none was accepted.", style="bold red")
    if tally.excluded:
        rows_of = many(tally.excluded, "row")
        out.print(f"{rows_of} left out since the plan: for opt-outs, or lists that were given later.", soft_wrap=True)
    goes_on = ended.stop is None or ended.stop.reason is not StopReason.TOO_MANY_ERRORS
    if ended.known_now:
        _tell_known(out, run, ended)
    if tally.statuses[Status.PENDING] and goes_on:
        out.print("To go on, run the same command again.")
    if tally.statuses[Status.UNKNOWN]:
        out.print(f"What to do about the unknown rows: bulksend resolve {run.place}", soft_wrap=True)


def stopped(stop: Stop, out: Console) -> str:
    """Why a run ended early, in words; those of the API may name a number."""
    said = stop_words(stop)
    return people.foreign(said, out) if stop.reason is StopReason.ALL_REJECTED else printable(said)


def _tell_known(out: Console, run: Run, ended: Ended) -> None:
    """Whom the server had accepted before: another sheet or machine has used the campaign's id as well."""
    were = "was" if ended.known_now == 1 else "were"
    unknown = f"; of {ended.unexplained_now:,} nobody here knows by which run" if ended.unexplained_now else ""
    out.print(
        f"{many(ended.known_now, 'row')} {were} accepted before under the campaign {printable(run.facts.campaign)}, "
        f"and neither sent again nor charged{unknown}. To send all the same, give another --campaign.",
        soft_wrap=True,
    )


def show_status(out: Console, run: Run, tally: Tally, who: str) -> None:
    """Where a run stands."""
    rows = table(run.place + rehearsed(run))
    rows.add_row("rows", f"{tally.rows:,}")
    _add_statuses(rows, tally)
    if tally.in_flight:
        rows.add_row("in flight", f"{tally.in_flight:,}  (under way: no outcome is noted yet)")
    rows.add_row("charged", f"{dollars(tally.charged)} {in_whose_words(run)}")
    out.print(rows)
    if run.purge is None:
        _show_reasons(out, run, tally, (Status.INVALID, *_NOT_SENT))
    tell_if_closed(out, run)
    out.print(who[0].upper() + who[1:] + ".", soft_wrap=True)


def tell_if_closed(out: Console, run: Run) -> None:
    """Say of a run that was closed that it sends nothing more by itself."""
    if (closed_at := run.closed_at) is not None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(closed_at))
        out.print(
            f"This run was closed at {when}: what it had not sent then is skipped, to be sent from a sheet of its own "
            f"(bulksend retry {run.place} -o FILE writes that).",
            soft_wrap=True,
        )


def show_in_doubt(out: Console, rows: Sequence[RowInDoubt]) -> None:
    """The rows that may or may not have been accepted."""
    listed = Table(title=f"{many(len(rows), 'row')} in doubt", title_justify="left", box=None, padding=(0, 2))
    for name in ("row", "recipient", "since", "why"):
        listed.add_column(name, overflow="fold")
    for row in rows[:_LISTED_ROWS]:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.since))
        listed.add_row(f"{row.row}", people.recipient(row.recipient, out), since, people.foreign(row.error, out))
    out.print(listed)
    if len(rows) > _LISTED_ROWS:
        out.print(f"... and {len(rows) - _LISTED_ROWS:,} more; all are in the results.")


def rehearsed(run: Run) -> str:
    """What stands behind a headline, where it is of a rehearsal."""
    return " (a rehearsal: no SMS was sent)" if run.facts.address.is_rehearsal else ""


def in_whose_words(run: Run) -> str:
    """Who told what was charged."""
    return "by the sandbox's words: nothing is paid" if run.facts.address.is_rehearsal else "by the API's words"


def _add_charges(rows: Table, charges: Sequence[Charge], whose: str) -> None:
    """What the API charges beside what it was estimated at, country by country if that tells more."""
    rows.add_row("charged", _charge(charges, whose) if charges else "nothing")
    if len(charges) > 1:
        for charge in charges[:_COUNTRIES]:
            rows.add_row(
                "", f"{phones.country_name(charge.code)}: {many(charge.rows, 'message')}, {_charge([charge], whose)}"
            )
        if len(charges) > _COUNTRIES:
            rows.add_row("", f"and {len(charges) - _COUNTRIES:,} other countries")


def _charge(charges: Sequence[Charge], whose: str) -> str:
    charged, estimated = sum(each.charged for each in charges), sum(each.estimated for each in charges)
    unpriced, uncharged = sum(each.unpriced for each in charges), sum(each.uncharged for each in charges)
    words = [f"{dollars(charged)} {whose}"]
    if uncharged:
        words.append(f"which tell nothing of {many(uncharged, 'message')}")
    priced = f"{dollars(estimated)} was estimated here" if estimated else "nothing was estimated here"
    words.append(priced + (f", without {many(unpriced, 'message')} of unknown rate" if unpriced and estimated else ""))
    return "; ".join(words)


def _add_statuses(rows: Table, tally: Tally) -> None:
    for status in MEANINGS:
        if tally.statuses[status]:
            rows.add_row(status, f"{tally.statuses[status]:,}  ({meaning_of(status, tally)})")


def _show_reasons(out: Console, run: Run, tally: Tally, statuses: tuple[Status, ...]) -> None:
    for status in statuses:
        if not tally.statuses[status]:
            continue
        for says, rows, first in run.complaints(status, _REASONS):
            many = f"{rows:,} rows, the first is row {first}" if rows > 1 else f"row {first}"
            out.print(f"{status}: {many}: {people.foreign(says, out)}", style="yellow", soft_wrap=True)
