"""What became of a run's sent messages, as their delivery receipts tell."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bulksend.campaign import StillAwaited
from bulksend.cli import people
from bulksend.cli.console import table
from bulksend.cli.looked_view import WHY_NOT
from bulksend.cli.run_view import rehearsed, these_rows
from bulksend.engagespark import Looked
from bulksend.runs import Deliveries, Run
from bulksend.sms import dollars
from bulksend.words import many, time_of


def show_deliveries(out: Console, run: Run, known: Deliveries, looked: Looked) -> None:
    """How many reached a phone, how many did not and why, of how many that is not known, and what was charged."""
    rows = table(f"Delivery of {run.place}{rehearsed(run)}")
    rows.add_row("sent", f"{known.sent:,}  (accepted by the API)")
    rows.add_row("reached", f"{known.reached:,}  (the phone confirmed it)")
    if known.failed:
        rows.add_row("not reached", f"{known.failed:,}  (the receipt says so)")
    if known.open:
        rows.add_row("not known", _open(known))
    _add_charge(rows, known)
    out.print(rows)
    lines = run.lines()
    for why in known.reasons:
        says = people.foreign(why.says, out) if why.says else "no reason is told"
        out.print(f"not reached: {these_rows(why.rows, why.first, lines)}: {says}", style="yellow", soft_wrap=True)
    if rest := known.failed - sum(why.rows for why in known.reasons):
        out.print(f"not reached: {many(rest, 'row')} for other reasons: all are in the results.", style="yellow")
    if known.open:
        _tell_open(out, known, looked)
    if known.told:
        out.print(f"With each row's receipt: bulksend results {run.place} -o FILE", soft_wrap=True)


def tell_awaited(out: Console, event: StillAwaited) -> None:
    """That not all receipts are in, and when it is asked again."""
    again = f"asking again in {time_of(event.pause_s)}"
    if event.looked is Looked.THROUGH:
        out.print(f"{event.now.open:,} of {many(event.now.sent, 'receipt')} not known yet: {again}.", soft_wrap=True)
    else:
        out.print(f"{WHY_NOT[event.looked]}; {again}.", soft_wrap=True)


def _open(known: Deliveries) -> str:
    untold = known.sent - known.told
    words = "no receipt yet says whether the phone was reached"
    if not untold:
        return f"{known.open:,}  ({words})"
    return f"{known.open:,}  ({words}; of {untold:,} the API has told nothing)"


def _tell_open(out: Console, known: Deliveries, looked: Looked) -> None:
    """What to do about those not known: that the list could not be read says nothing of them."""
    if looked is Looked.THROUGH:
        out.print("What is not known yet is asked for by the same command again; --until-done 10m goes on asking.")
        return
    they = "it" if known.open == 1 else "they"
    out.print(
        f"{WHY_NOT[looked]}: of {many(known.open, 'message')} nothing more is known, neither that {they} reached a "
        f"phone nor that {they} did not.",
        style="bold red",
        soft_wrap=True,
    )


def _add_charge(rows: Table, known: Deliveries) -> None:
    if not known.priced:
        return
    of = "" if known.priced == known.sent else f" of {many(known.priced, 'message')}"
    difference = known.charged - known.estimated
    beside = "as estimated"
    if difference:
        than = "more" if difference > 0 else "less"
        beside = f"{dollars(abs(difference))} {than} than the estimate of {dollars(known.estimated)}"
    rows.add_row("charged", f"{dollars(known.charged)} by the receipts{of}; {beside}")
