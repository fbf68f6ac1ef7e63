"""What is seen while a campaign is sent: one screen in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live

from bulksend.campaign import (
    AccountBusy,
    CampaignEvent,
    CutShort,
    Ended,
    HistoryGone,
    LeftOut,
    NotGivenBack,
    OthersAtWork,
    PaceFound,
    Progressed,
    SandboxClosed,
    ServerAway,
    Slowed,
    Started,
    StoppingEarly,
    Waiting,
)
from bulksend.cli.console import wrapped
from bulksend.cli.history_view import held_lines
from bulksend.cli.screen import Screen
from bulksend.cli.when_view import waiting_words
from bulksend.sending import StopReason
from bulksend.sms import dollars
from bulksend.words import many, printable, time_of

_LINE_S = 10.0
_AGAIN = {StopReason.INTERRUPTED: "Ctrl-C again", StopReason.ASKED: "Ctrl-C"}


class Watch:
    """Hears a campaign's events and shows them.

    Args:
        out: where; if that is no terminal, progress comes as plain lines.
        hides_progress: whether progress is not shown.
    """

    def __init__(self, out: Console, *, hides_progress: bool) -> None:
        self._out = out
        self._hides_progress = hides_progress
        self._began: Started | None = None
        self._live: Live | None = None
        self._next_line_s = _LINE_S
        self._is_waiting = False
        self._waits_until: float | None = None

    def hear(self, event: CampaignEvent) -> None:
        """Show an event, if it is to be seen."""
        match event:
            case Started(rows) if rows and not self._hides_progress:
                self._start(event)
            case Progressed() if self._began:
                self._progress(self._began, event)
            case Waiting():
                self._wait(event)
            case SandboxClosed() | Ended():
                self.close()
            case AccountBusy():
                if self._is_waiting:
                    return
                self._is_waiting = True
            case PaceFound():
                return  # it stands on the screen, and is for those who keep a log
            case Slowed() | ServerAway() if self._live:
                return  # it stands on the screen
            case _:
                pass
        for sentence in _words(event):
            self._say(sentence)

    def _wait(self, waiting: Waiting) -> None:
        if self._out.is_terminal and not self._hides_progress:
            if self._live is None:
                self._live = Live(console=self._out, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(Group(*wrapped(waiting_words(waiting), self._out.width)), refresh=True)
        elif self._waits_until != waiting.until_s:
            self._waits_until = waiting.until_s
            self._say(waiting_words(waiting))

    def close(self) -> None:
        """Show no more progress, and give the terminal its cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self, began: Started) -> None:
        self._began = began
        if self._out.is_terminal:
            self._live = Live(console=self._out, auto_refresh=False, transient=True)
            self._live.start()

    def _progress(self, began: Started, seen: Progressed) -> None:
        screen = Screen(began, seen)
        if self._live is not None:
            self._live.update(screen.shown(self._out.width), refresh=True)
        elif not self._out.is_terminal and seen.seconds >= self._next_line_s:
            self._next_line_s = seen.seconds + _LINE_S
            self._say(screen.line())

    def _say(self, sentence: str) -> None:
        self._out.print(sentence, soft_wrap=True)


def _words(event: CampaignEvent) -> list[str]:
    """An event in sentences, if there is one for it."""
    match event:
        case AccountBusy(says):
            return [f"Waiting: {says}"]
        case OthersAtWork() | NotGivenBack():
            return [_company_words(event)]
        case HistoryGone(quiet_s):
            cut_off = "The account's last run was cut off and its run file is gone"
            return [f"{cut_off}: waiting {quiet_s:g} s, so that no phone gets too many."]
        case LeftOut(looked, repeating):
            return held_lines(looked, repeating)
        case Slowed(seconds):
            return [f"The server asks to be left alone for {time_of(seconds)}."]
        case ServerAway(seconds):
            return [f"The server is away; trying again in {max(1, round(seconds))} s."]
        case StoppingEarly(stop, in_flight, grace_s) if stop.reason.is_interruption:
            why = f", for {stop.says}" if stop.reason is StopReason.ASKED else ""
            if not in_flight:
                return [f"Stopping{why}: no answer is waited for."]
            waiting = f"Stopping{why}: waiting for {many(in_flight, 'answer')}, {grace_s:g} s at most."
            doubted = "it" if in_flight == 1 else "them"
            return [f"{waiting} {_AGAIN.get(stop.reason, 'The same once more')} leaves {doubted} in doubt."]
        case CutShort(in_doubt):
            left = many(in_doubt, "message is", "messages are")
            return [f"Not waiting any longer: {left} in doubt. Nothing else goes out."]
        case SandboxClosed(accepted, lost, charged):
            took = f"The sandbox took {many(accepted, 'message')} for {dollars(charged)}"
            return [f"{took} and lost {lost:,} of them to the telcos' cap."]
        case _:
            return []


def _company_words(event: OthersAtWork | NotGivenBack) -> str:
    match event:
        case OthersAtWork(0):
            return "No other worker is at work on it any more."
        case OthersAtWork(others):
            return f"{many(others, 'other worker is', 'other workers are')} at work on it, too."
        case NotGivenBack(says, length_s):
            ends = "The database could not be told that this process sends no more: others take over what it had in"
            return f"{ends} {length_s:g} s at most, when its lease runs out ({printable(says)})."
