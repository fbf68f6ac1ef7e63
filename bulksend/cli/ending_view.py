"""How a send ended, in words: what was sent, what was not and why, its cost, and the one command that comes next."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bulksend.campaign import Ending, Finish, NextStep, grouped
from bulksend.cli import people
from bulksend.cli.advice import short_words, stop_words, to_do_words
from bulksend.cli.console import meaning_of, wrapped
from bulksend.cli.next_command import results_command
from bulksend.cli.run_view import in_whose_words, rehearsed, stopped
from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.planning import Lines
from bulksend.reports import zone
from bulksend.runs import Charge, Run
from bulksend.sending import StopReason
from bulksend.sms import dollars, phones
from bulksend.words import figure, listed, many, printable, time_of

_COUNTRIES = 8
_LABEL = 11  # columns


def headline(ending: Ending, *, leaves_out: bool) -> str:
    """How it ended, in a sentence.

    Args:
        ending: that.
        leaves_out: whether what history holds is left out on purpose.
    """
    ended, tally, missing = ending.ended, ending.tally, ending.missing
    short = short_words(ended.stop.reason) if ended.stop else ""
    doubts = tally.statuses[Status.UNKNOWN]
    left = [f"{many(missing, 'row was', 'rows were')} not sent"] if missing else []
    if doubts:
        left.append(f"{many(doubts, 'row is', 'rows are')} in doubt")
    match ending.finish:
        case Finish.NOTHING_SENT:
            more = " more" if tally.statuses[Status.SENT] else ""
            return f"Nothing{more} was sent" + (f": {short}" if short else _why_nothing(ending))
        case Finish.STOPPED:
            return f"Stopped early: {short}"
        case Finish.LIMITED:
            pending = many(tally.statuses[Status.PENDING], "row is", "rows are")
            return f"Finished as far as the limit goes: {pending} left" + "".join(f", {each}" for each in left)
        case _ if left:
            return f"Finished, but {' and '.join(left)}"
        case _ if tally.left_out and not leaves_out:
            return f"Finished, but {many(tally.left_out, 'row was', 'rows were')} left out, which got the same before"
        case _:
            return "Finished"


def reason_of(ending: Ending, *, leaves_out: bool) -> str | None:
    """Why not all was done, in a sentence; None if it was."""
    if ending.ended.stop is not None:
        return printable(stop_words(ending.ended.stop))
    is_whole = ending.finish in {Finish.WHOLE, Finish.LIMITED} and not ending.missing
    is_whole = is_whole and (leaves_out or not ending.tally.left_out)
    return None if is_whole else headline(ending, leaves_out=leaves_out)


def show_ending(
    out: Console, run: Run, ending: Ending, results: Path | UsageError, command: str, *, leaves_out: bool
) -> None:
    """Show how a send ended.

    Args:
        out: where.
        run: what was sent.
        ending: how that ended.
        results: where the results are, or why they could not be written.
        command: what comes next; empty for nothing.
        leaves_out: whether what history holds is left out on purpose.
    """
    is_well = ending.finish in {Finish.WHOLE, Finish.LIMITED} and reason_of(ending, leaves_out=leaves_out) is None
    _gap(out)
    style = "bold" if is_well else "bold red"
    out.print(headline(ending, leaves_out=leaves_out) + rehearsed(run), style=style, soft_wrap=True)
    _gap(out)
    _show_rows(out, run, ending)
    _gap(out)
    for label, text in (*_money(run, ending), *_times(ending)):
        _put(out, label, text)
    rehearsal = " (of a rehearsal)" if run.facts.address.is_rehearsal else ""
    if isinstance(results, Path):
        _put(out, "results", f"{results}{rehearsal}")
    else:
        _put(out, "results", f"not written: {results}", "bold red")
    _show_stop(out, ending)
    _show_beside(out, run, ending)
    if command:
        _gap(out)
        is_as_it_was = isinstance(results, Path) and ending.next_step is NextStep.GO_ON
        out.print(_leads_in(ending) if is_as_it_was else "Next:", soft_wrap=True)
        for line in _broken(command, out.width) if out.is_terminal else [command]:
            out.print(Text(f"  {line}", "bold"), no_wrap=True, overflow="ignore", crop=False)


def _leads_in(ending: Ending) -> str:
    if ending.finish is Finish.LIMITED:
        return "For as many more, run the same command again, or this; without --limit it sends all that is left:"
    return f"{'Then' if to_do_words(ending) else 'To go on,'} run the same command again, or this:"


def _broken(command: str, width: int) -> list[str]:
    """A command in lines that a shell takes for one."""
    room, lines = width - 4, [""]
    for word in map(shlex.quote, shlex.split(command)):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > room:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _show_rows(out: Console, run: Run, ending: Ending) -> None:
    """What was sent, and what was not and why."""
    tally, lines = ending.tally, run.lines()
    if sent := tally.statuses[Status.SENT]:
        _put(out, Status.SENT, f"{sent:,}  ({meaning_of(Status.SENT, tally)})")
    cut = []
    for status, rows, reasons in grouped(ending):
        _put(out, status, f"{rows:,}  ({meaning_of(status, tally)})", "yellow")
        if status is Status.PENDING:
            _put(out, "", _places(ending.pending, rows, lines))
        for each in reasons:
            says = people.foreign(each.says, out) or "without a reason"
            _put(out, "", f"{each.rows:,}: {says}; {_places(each.first, each.rows, lines)}")
        if rest := rows - sum(each.rows for each in reasons) if reasons else 0:
            _put(out, "", f"{rest:,}: for other reasons")
        if status is not Status.PENDING and (rest or any(each.rows > len(each.first) for each in reasons)):
            cut.append(status)
    if cut and not run.purge:
        _put(out, "", f"all that are {' or '.join(cut)}: {results_command(run.place, cut)}")


def _places(first: Sequence[int], rows: int, lines: Lines) -> str:
    """Rows, with their lines in the sheet where these are others."""
    told = [f"{row}{lines.beside(row)}" for row in first]  # a comma within one would look like that between two
    more = rows - len(told)
    if not told:
        return many(rows, "row")
    if more:
        told.append(f"{more:,} more")
    return f"{'row' if rows == 1 else 'rows'} {listed(told)}"


def _money(run: Run, ending: Ending) -> Iterator[tuple[str, str]]:
    charges, whose = ending.charges, in_whose_words(run)
    if not charges:
        yield "charged", "nothing"
        return
    yield "charged", f"{dollars(sum(each.charged for each in charges))} {whose}{_uncharged(charges)}"
    yield "estimated", _estimated(charges)
    if len(charges) > 1:
        for each in charges[:_COUNTRIES]:
            name = phones.country_name(each.code)
            yield "", f"{name}: {many(each.rows, 'message')}, {dollars(each.charged)}{_uncharged([each])}"
        if len(charges) > _COUNTRIES:
            yield "", f"and {len(charges) - _COUNTRIES:,} other countries"


def _uncharged(charges: Sequence[Charge]) -> str:
    uncharged = sum(each.uncharged for each in charges)
    return f", which tell nothing of {many(uncharged, 'message')}" if uncharged else ""


def _estimated(charges: Sequence[Charge]) -> str:
    estimated, unpriced = sum(each.estimated for each in charges), sum(each.unpriced for each in charges)
    if not estimated:
        return "nothing: no rate was known"
    return dollars(estimated) + (f", without {many(unpriced, 'message')} of unknown rate" if unpriced else "")


def _times(ending: Ending) -> Iterator[tuple[str, str]]:
    ended = ending.ended
    if ended.since_s is None or ended.until_s is None:
        return
    begun, until = (time.localtime(each) for each in (ended.since_s, ended.until_s))
    is_same_day = begun[:3] == until[:3]
    ends = time.strftime("%H:%M:%S" if is_same_day else "%Y-%m-%d %H:%M:%S", until)
    yield "when", f"{time.strftime('%Y-%m-%d %H:%M:%S', begun)} to {ends} ({zone(ended.until_s)})"
    pace = f", {figure(ending.mean)} SMS/s on average" if ending.mean else ""
    yield "took", f"{time_of(ended.seconds)} for {many(ended.attempts_now, 'request')}{pace}"


def _show_stop(out: Console, ending: Ending) -> None:
    """Why it ended early, and what it takes to go on."""
    stop, rest = ending.ended.stop, ending.rest
    if stop is None and rest is None:
        return
    _gap(out)
    if stop is not None:
        says = stopped(stop, out) if stop.reason in _OWN_WORDS else people.foreign(stop.says, out)
        if says != short_words(stop.reason):  # which the headline tells
            _put(out, "stopped", says, "bold red")
    if rest is None:
        return
    unpriced = f", without {many(rest.unpriced, 'message')} of unknown rate" if rest.unpriced else ""
    is_priced = rest.unpriced < rest.rows or rest.micro
    costs = f"{many(rest.rows, 'message')}" + (f", {dollars(rest.micro)}{unpriced}" if is_priced else ", no rate known")
    _put(out, "left", costs)
    if to_do := to_do_words(ending):
        _put(out, "to do", to_do)


_OWN_WORDS = frozenset({StopReason.TOO_MANY_ERRORS, StopReason.BUDGET_FILLED})


def _show_beside(out: Console, run: Run, ending: Ending) -> None:
    """What else is to be known."""
    ended, tally = ending.ended, ending.tally
    if ended.is_all_left_out or tally.excluded or ended.known_now or ended.others:
        _gap(out)
    if ended.others:
        go_on = many(ended.others, "other worker goes on", "other workers go on")
        out.print(f"{go_on} with it: bulksend stop {printable(run.place)} ends that.", soft_wrap=True)
    if ended.is_all_left_out:
        out.print("To send it all the same, give --repeat.", style="bold red", soft_wrap=True)
    if tally.excluded:
        rows_of = many(tally.excluded, "row")
        out.print(f"{rows_of} left out since the plan: for opt-outs, or lists that were given later.", soft_wrap=True)
    if ended.known_now:
        were = "was" if ended.known_now == 1 else "were"
        new = ended.unexplained_now
        unknown = f"; of {new:,} nobody here knows by which run" if new else ""
        out.print(
            f"{many(ended.known_now, 'row')} {were} accepted before under the campaign "
            f"{printable(run.facts.campaign)}, and neither sent again nor charged{unknown}. To send all the same, give "
            "another --campaign.",
            soft_wrap=True,
        )


def _why_nothing(ending: Ending) -> str:
    ended, tally = ending.ended, ending.tally
    if ended.is_in_vain:
        return f": of {many(ended.attempts_now, 'request')} none was accepted"
    if ended.is_all_left_out:
        return f": all {'of it' if tally.left_out == tally.rows else 'that can be sent'} was sent before"
    return f": of {many(tally.rows, 'row')} none is left to send" if tally.rows else ""


def _put(out: Console, label: str, text: str, style: str = "") -> None:
    """A label and what is said of it, on a terminal in lines of whole words that stand below one another."""
    room = out.width - _LABEL
    parts = _within(text, room) if out.is_terminal else [text]
    for number, part in enumerate(parts):
        line = Text.assemble((("" if number else label).ljust(_LABEL), "bold"), (part, style))
        out.print(line, no_wrap=True, overflow="ignore", crop=False)


def _within(text: str, room: int) -> list[str]:
    return [text] if cell_len(text) <= room else wrapped(text, room)


def _gap(out: Console) -> None:
    """Set what follows apart; a log needs none."""
    if out.is_terminal:
        out.print()
