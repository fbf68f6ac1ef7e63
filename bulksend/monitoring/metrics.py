"""A send as metrics for Prometheus: served on this machine, or written for a textfile collector."""

from __future__ import annotations

import threading
import time
from collections import Counter as Count
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    start_http_server,
    write_to_textfile,
)

from bulksend import __version__
from bulksend.campaign import CampaignEvent, Progressed, Started, WorkBegun, WorkEvent
from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.monitoring.monitor import Summary, Trouble
from bulksend.planning import Plan
from bulksend.runs import name_of, place_of
from bulksend.sending import Heard, status_of

HOST = "127.0.0.1"
_WRITTEN_EACH_S = 5.0
_ENDS = (Status.SENT, Status.SKIPPED, Status.REJECTED, Status.FAILED, Status.UNKNOWN)
_LONGEST_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_MICRO = 1e6


class Metrics:
    """What a send comes to, in figures.

    Args:
        port: of this machine, where they are served as long as the command runs; None for nowhere.
        path: a file that is written anew now and then, and at the end; None for none.
        trouble: hears that the file cannot be written.
        knows_rows: whether it is known how many rows are to be sent, and what they cost; a worker sends of whatever run
            is due, beside others.

    Raises:
        UsageError: the port is taken, or the file cannot be written.
    """

    def __init__(self, port: int | None, path: Path | None, trouble: Trouble, *, knows_rows: bool = True) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._make(self._registry if knows_rows else None)
        self._path = path
        self._trouble = trouble
        self._is_told = False
        self._is_over = threading.Event()
        self._rows = 0
        self._server = self._writer = None
        if port is not None:
            try:
                self._server, _ = start_http_server(port, HOST, self._registry)
            except OSError as error:
                raise UsageError(f"metrics cannot be served at {HOST}:{port}: {error.strerror}") from error
        if path is not None:
            try:
                write_to_textfile(str(path), self._registry)
            except OSError as error:
                self._stop_serving()
                raise UsageError(f"{path}: metrics cannot be written there: {error.strerror}") from error
            self._writer = threading.Thread(target=self._write_on, name="metrics", daemon=True)
            self._writer.start()

    def _make(self, of_rows: CollectorRegistry | None) -> None:
        to = self._registry
        self._info = Info("bulksend_run", "The run that is sent.", registry=to)
        self._messages = Counter("bulksend_messages", "Messages by what became of them.", ["outcome"], registry=to)
        for status in _ENDS:
            self._messages.labels(status.value)
        self._attempts = Counter("bulksend_attempts", "Requests that left.", registry=to)
        self._took = Histogram(
            "bulksend_request_seconds", "From a request to its answer.", registry=to, buckets=_LONGEST_S
        )
        self._charged = Counter("bulksend_charged_usd", "What was charged, in US dollars.", registry=to)
        self._estimated = Gauge("bulksend_estimated_usd", "What was to be sent is estimated at.", registry=of_rows)
        self._pending = Gauge("bulksend_pending", "Messages that this command has still to send.", registry=of_rows)
        self._in_flight = Gauge("bulksend_in_flight", "Requests under way.", registry=to)
        self._parked = Gauge("bulksend_waiting_for_cap", "Messages that wait for their phone's cap.", registry=to)
        self._is_away = Gauge("bulksend_server_away", "Whether the server is away: 1 or 0.", registry=to)
        self._slowed = Gauge("bulksend_slowed_seconds", "For so long the server asks to be left alone.", registry=to)
        self._started_at = Gauge("bulksend_started_timestamp_seconds", "When sending began.", registry=to)
        self._ended_at = Gauge("bulksend_ended_timestamp_seconds", "When it ended; 0 before.", registry=to)
        self._exit = Gauge("bulksend_exit_code", "The command's exit code; -1 before its end.", registry=to)
        self._exit.set(-1)

    def planned(self, place: str, plan: Plan) -> None:
        """See `Monitor.planned`."""
        name = name_of(place_of(place)).encode(errors="replace").decode()
        self._info.info({"run": name, "version": __version__})
        self._estimated.set(plan.overview.price / _MICRO)
        self._rows = plan.overview.rows
        self._pending.set(self._rows)

    def hear(self, event: CampaignEvent | WorkEvent) -> None:
        """See `Monitor.hear`."""
        match event:
            case Started(rows):
                self._rows = rows
                self._pending.set(rows)
                self._started_at.set(time.time())
            case WorkBegun(run):
                self._info.info({"run": run, "version": __version__})
                self._started_at.set(time.time())
            case Progressed():
                now = event.now
                self._pending.set(max(self._rows - now.sent - now.not_sent, 0))
                self._in_flight.set(now.in_flight)
                self._parked.set(now.parked)
                self._is_away.set(event.away_s is not None)
                self._slowed.set(event.slowed_s)
            case _:
                pass

    def hear_of(self, heard: Sequence[Heard]) -> None:
        """See `Listener.hear_of`."""
        ends = Count(status_of(each.outcome) for each in heard if each.outcome.final)
        for status, count in ends.items():
            self._messages.labels(status.value).inc(count)
        charged = 0
        for outcome, attempt, took_s in heard:
            if attempt is not None:
                self._took.observe(took_s)
            if outcome.answer is not None:
                charged += outcome.answer.charged or 0
        self._attempts.inc(sum(each.attempt is not None for each in heard))
        self._charged.inc(charged / _MICRO)

    def ended(self, told: Summary) -> None:
        """See `Monitor.ended`."""
        self._ended_at.set(time.time())
        self._in_flight.set(0)
        code = told.get("exit")
        if isinstance(code, int):
            self._exit.set(code)
        if self._path is not None:
            self._write()

    def close(self) -> None:
        """See `Monitor.close`."""
        self._is_over.set()
        if self._writer is not None:
            self._writer.join()
            self._write()
        self._stop_serving()

    def _stop_serving(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _write_on(self) -> None:
        while not self._is_over.wait(_WRITTEN_EACH_S):
            self._write()

    def _write(self) -> None:
        try:
            write_to_textfile(str(self._path), self._registry)
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                self._trouble(f"the metrics in {self._path} are old: they cannot be written ({error.strerror})")
