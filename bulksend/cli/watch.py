"""What is seen while a campaign is sent: a bar in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bulksend.campaign import (
    AccountBusy,
    CampaignEvent,
    Ended,
    HistoryGone,
    LeftOut,
    Progressed,
    SandboxClosed,
    ServerAway,
    Slowed,
    Started,
    StoppingEarly,
)
from bulksend.cli.console import time_of
from bulksend.cli.history_view import held_lines
from bulksend.sms import dollars
from bulksend.words import many

_LINE_S = 10.0


class Watch:
    """Hears a campaign's events and shows them.

    Args:
        out: where; if that is no terminal, progress comes as plain lines.
        hides_progress: whether progress is not shown.
    """

    def __init__(self, out: Console, *, hides_progress: bool) -> None:
        self._out = out
        self._hides_progress = hides_progress
        self._total = 0
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._next_line_s = _LINE_S
        self._is_waiting = False

    def hear(self, event: CampaignEvent) -> None:
        """Show an event, if it is to be seen."""
        match event:
            case AccountBusy(says):
                self._wait(says)
            case HistoryGone(quiet_s):
                self._say(
                    f"The account's last run was cut off and its run file is gone: waiting {quiet_s:g} s, so that no "
                    "phone gets too many."
                )
            case LeftOut(looked, repeating):
                for line in held_lines(looked, repeating):
                    self._say(line)
            case Started(rows) if rows and not self._hides_progress:
                self._start(rows)
            case Progressed() if self._total:
                self._progress(event)
            case Slowed(seconds):
                self._say(f"The server asks to be left alone for {time_of(seconds)}.")
            case ServerAway(seconds):
                self._say(f"The server is away; trying again in {max(1, round(seconds))} s.")
            case StoppingEarly(stop, in_flight, grace_s) if stop.reason.is_interruption:
                self._say(
                    f"Stopping: waiting for {many(in_flight, 'answer')}, {grace_s:g} s at most. The same once more "
                    "leaves at once, with these in doubt."
                )
            case SandboxClosed(accepted, lost, charged):
                self.close()
                self._say(
                    f"The sandbox took {many(accepted, 'message')} for {dollars(charged)} and lost {lost:,} of them "
                    "to the telcos' cap."
                )
            case Ended():
                self.close()
            case _:
                pass

    def close(self) -> None:
        """Show no more progress, and give the terminal its cursor back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _wait(self, says: str) -> None:
        if not self._is_waiting:
            self._say(f"Waiting: {says}")
        self._is_waiting = True

    def _start(self, rows: int) -> None:
        self._total = rows
        if not self._out.is_terminal:
            return
        self._bar = Progress(
            TextColumn("sending"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self._out,
            auto_refresh=False,
        )
        self._bar.start()
        self._task = self._bar.add_task("sending", total=rows, note="")

    def _progress(self, now: Progressed) -> None:
        done = now.sent + now.not_sent
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=self._note(now), refresh=True)
        elif not self._out.is_terminal and now.seconds >= self._next_line_s:
            self._next_line_s = now.seconds + _LINE_S
            self._say(f"{done:,} of {self._total:,} done, {self._note(now)}")

    def _note(self, now: Progressed) -> str:
        done, seconds = now.sent + now.not_sent, max(now.seconds, 0.001)
        words = [f"{now.sent / seconds:,.0f}/s"]
        if now.not_sent:
            words.append(f"{now.not_sent:,} not sent")
        if now.parked:
            words.append(f"{now.parked:,} wait for their phone's cap")
        if done:
            left = seconds_left(self._total - done - now.parked, done / seconds, now.caps_s)
            words.append(f"{time_of(left)} left")
        return ", ".join(words)

    def _say(self, sentence: str) -> None:
        self._out.print(sentence, soft_wrap=True)


def seconds_left(free: int, pace: float, caps_s: float) -> float:
    """How long a run still takes: its free messages at the pace so far, its parked ones as their caps allow."""
    return max(free / pace, caps_s, 0.0)
