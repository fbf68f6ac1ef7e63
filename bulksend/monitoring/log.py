"""A log of a send in JSON lines: what happens to the run, and every attempt; of people a row and a masked number."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bulksend.campaign import (
    CampaignEvent,
    CutShort,
    Ended,
    HistoryGone,
    LeftOut,
    PaceFound,
    ServerAway,
    Slowed,
    Started,
    StoppingEarly,
    WorkBegun,
    WorkEvent,
    WorkLeft,
)
from bulksend.errors import UsageError
from bulksend.model import Event, Status
from bulksend.monitoring.monitor import Summary, Trouble
from bulksend.planning import Plan
from bulksend.reports import Numbers
from bulksend.sending import Heard, Stop, status_of

_NUMBERS = Numbers(are_shown=False)
_UNDECIDED = frozenset({Event.PUT_OFF, Event.CALLED_OFF})


class Log:
    """Appends to a file, each group of lines at once; another process may do so, too.

    Args:
        path: the file, made for its owner alone if there is none.
        trouble: hears that it cannot be written.

    Raises:
        UsageError: it cannot be opened, or is something else.
    """

    def __init__(self, path: Path, trouble: Trouble) -> None:
        self._path = path
        self._trouble = trouble
        self._place = ""
        self._is_told = self._has_stopped = False
        try:
            self._is_broken_off = _is_broken_off(path)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"{path}: this log cannot be written: {error.strerror}") from error

    def planned(self, place: str, plan: Plan) -> None:
        """See `Monitor.planned`."""
        self._place = place.encode(errors="replace").decode()
        overview, statuses = plan.overview, plan.tally.statuses
        price = None if overview.rows and overview.unpriced == overview.rows else overview.price
        self._note(
            "planned",
            rows=plan.tally.rows,
            toSend=overview.rows,
            invalid=statuses[Status.INVALID],
            skipped=statuses[Status.SKIPPED],
            estimateMicro=price,
        )

    def hear(self, event: CampaignEvent | WorkEvent) -> None:
        """See `Monitor.hear`."""
        match event:
            case Started(rows, price):
                self._note("started", rows=rows, estimateMicro=price)
            case LeftOut(looked):
                rows = sum(each.rows for each in looked.held if each.what.leaves_out)
                self._note("left out", rows=looked.dead + rows)
            case HistoryGone(seconds):
                self._note("waiting", seconds=seconds)
            case PaceFound(at_once, rate, why):
                self._note("pace found", atOnce=at_once, rate=rate and round(rate, 2), why=why)
            case Slowed(seconds):
                self._note("slowed", seconds=round(seconds, 3))
            case ServerAway(seconds):
                self._note("paused", seconds=round(seconds, 3))
            case StoppingEarly(stop, in_flight):
                self._stopped(stop, in_flight)
            case Ended(Stop() as stop) if not self._has_stopped:  # it ended sooner than anybody looked
                self._stopped(stop, 0)
            case WorkBegun(run):
                self._place, self._has_stopped = run, False
                self._note("started")
            case WorkLeft(_, sent, end):
                self._note("left", sent=sent, stop=end and end.reason)
            case CutShort(in_doubt):
                self._note("cut short", inDoubt=in_doubt)
            case _:
                pass

    def hear_of(self, heard: Sequence[Heard]) -> None:
        """See `Listener.hear_of`."""
        self._write(b"".join(self._line(each) for each in heard if each.attempt or each.outcome.final))

    def ended(self, told: Summary) -> None:
        """See `Monitor.ended`."""
        self._note("ended", **{name: value for name, value in told.items() if name != "run"})

    def close(self) -> None:
        """See `Monitor.close`."""
        os.close(self._file)

    def _stopped(self, stop: Stop, in_flight: int) -> None:
        self._has_stopped = True
        self._note("stopped", reason=stop.reason.value, inFlight=in_flight)

    def _note(self, event: str, **more: object) -> None:
        self._write(_dumped({"at": datetime.now(UTC), "event": event, "run": self._place, **more}))

    def _line(self, heard: Heard) -> bytes:
        outcome, attempt = heard.outcome, heard.attempt
        answer = outcome.answer
        return _dumped(
            {
                "at": datetime.fromtimestamp(outcome.ended_at, UTC),
                "event": "attempt" if attempt else "left out",
                "run": self._place,
                "row": outcome.row,
                "to": _NUMBERS.of(attempt.message.recipient) if attempt else None,
                "attempt": attempt.number if attempt else None,
                "status": _status(heard),
                "outcome": outcome.event.value,
                "httpStatus": outcome.http_status,
                "latency": round(heard.took_s, 4) if attempt else None,
                "messageId": answer.message_id or None if answer else None,
                "error": outcome.code or None,
            }
        )

    def _write(self, lines: bytes) -> None:
        left = b"\n" + lines if self._is_broken_off and lines else lines
        try:
            while left:
                left = left[os.write(self._file, left) :]
                self._is_broken_off = bool(left)
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                self._trouble(f"the log {self._path} lacks something: it cannot be written ({error.strerror})")


def _status(heard: Heard) -> str:
    """What is known of the row after it, as far as this attempt tells."""
    outcome = heard.outcome
    if not outcome.final and outcome.event in _UNDECIDED and not outcome.in_doubt:
        return Status.PENDING.value
    return status_of(outcome).value


def _dumped(line: dict[str, object]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def _is_broken_off(path: Path) -> bool:
    """Whether the last line of a log that is there has no end.

    Raises:
        UsageError: it is something else than a log.
    """
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        if file.read(1) != b"{":
            raise UsageError(f"{path}: this is no log, for it does not begin with a brace: name another file")
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
