"""A send seen from another terminal: the same screen, with who sends, since when, and how the last one ended."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live

from bulksend import campaign
from bulksend.campaign import Look, View
from bulksend.cli.advice import stop_words
from bulksend.cli.console import wrapped
from bulksend.cli.screen import Screen
from bulksend.cli.standing_view import end_words, moment, shared_words, worker_lines
from bulksend.runs import Place
from bulksend.words import printable, time_of

_LINE_S = 10.0
_SILENT_S = 5.0  # a sender tells each second


def look_on(place: Place, out: Console) -> bool:
    """Show how a run gets on until its send is over, or nothing is left to wait for; False if somebody left before.

    Raises:
        UsageError: there is no such run, or it is of a newer version.
        RunFileError: it cannot be read.
    """
    onlooker = _Onlooker(place, out)
    look: Look | None = None
    try:
        for look in campaign.looks(place):
            onlooker.see(look)
    except KeyboardInterrupt:
        onlooker.close()
        is_sent = look is not None and look.view is not None
        out.print(f"No longer watching.{' The send goes on.' if is_sent else ''}")
        return False
    finally:
        onlooker.close()
    return True


class _Onlooker:
    """One screen in a terminal; elsewhere a plain line now and then, and whenever it is otherwise than before."""

    def __init__(self, place: Place, out: Console) -> None:
        self._place = place
        self._out = out
        self._live: Live | None = None
        self._lasts_s = 0.0
        self._told = ""

    def see(self, look: Look) -> None:
        """Show a look."""
        if not self._out.is_terminal:
            self._tell(look)
            return
        if self._live is None:
            self._live = Live(console=self._out, auto_refresh=False, transient=True)
            self._live.start()
        width = self._out.width
        workers = () if look.shared is None else worker_lines(look.shared)
        lines = [line for each in (*self._head(look), *workers) for line in wrapped(each, width)]
        leave = wrapped("Ctrl-C leaves this screen; it stops nothing.", width)
        if look.view is None:
            shown = Group(*lines, *leave)
        else:
            waits = [line for each in _beside(look.view, look.silent_s) for line in wrapped(each, width)]
            shown = Group(*lines, "", Screen(look.view.began, look.view.seen).shown(width), *waits, "", *leave)
        self._live.update(shown, refresh=True)

    def close(self) -> None:
        """Show no more, and give the terminal its cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _tell(self, look: Look) -> None:
        """A line for a log."""
        told = " ".join(self._head(look))
        is_new = told != self._told
        if is_new:
            self._told = told
            self._out.print(told, soft_wrap=True)
        if look.view is None:
            return
        seconds = look.view.seen.seconds
        if is_new or seconds >= self._lasts_s:
            self._lasts_s = seconds + _LINE_S
            self._out.print(Screen(look.view.began, look.view.seen).line(), soft_wrap=True)
            for line in _beside(look.view, look.silent_s):
                self._out.print(line, soft_wrap=True)

    def _head(self, look: Look) -> Iterator[str]:
        """Who is at work on it, since when, and how it ended before."""
        place, owner, spell = printable(str(self._place)), look.owner, look.spell
        if look.shared is not None:
            yield f"{place}: {shared_words(look.shared)}."
        elif owner is None:
            yield f"{place}: nobody is sending it. Waiting for whoever does."
        else:
            has_sent = spell.end is not None and (spell.end.at_s or 0.0) >= owner.since
            idle = "has sent, and is writing the results" if has_sent else "has it, and is not sending at the moment"
            does = "is sending it" if look.view else idle
            yield f"{place}: process {owner.pid} on {printable(owner.host)} {does}."
            yield f"It began on {moment(owner.since)}."
        if spell.started_at is not None and (owner is None or spell.started_at < owner.since):
            yield f"The run was first sent on {moment(spell.started_at)}."
        if spell.end is not None:
            says = end_words(spell.end)
            yield f"{says[0].upper()}{says[1:]}."


def _beside(view: View, silent_s: float) -> Iterator[str]:
    """What the sending process itself tells on its terminal in sentences."""
    if view.stop is not None:
        yield f"Stopping: {printable(stop_words(view.stop))}."
    if silent_s > _SILENT_S:
        yield f"It has told nothing for {time_of(silent_s)}."
