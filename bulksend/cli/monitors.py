"""Programs that are told of a send: when it has ended, after its results were written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson
from rich.console import Console

from bulksend.campaign import CampaignEvent, Started, WorkEvent
from bulksend.cli import interrupts, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.groups import Group
from bulksend.cli.on_finish import run_command, words_of
from bulksend.cli.sending import run_loop
from bulksend.cli.settings import option
from bulksend.cli.watch_options import WATCHING, WatchSettings
from bulksend.errors import BulksendError, UsageError
from bulksend.planning import Plan
from bulksend.runs import name_of, open_run, place_of
from bulksend.sending import Heard, Listener

if TYPE_CHECKING:
    from bulksend.monitoring import Monitor, Summary, Trouble, Webhook

_NAMES = frozenset({"run", "results", "finish", "stop", "startedAt", "endedAt"})
_WORDED = frozenset({"reason", "next"})
_WORDS = (str, list, dict)  # which may hold what is nobody else's business


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """Which programs are told."""

    webhook: str | None = field(repr=False)
    webhook_secret_file: Path | None
    on_finish: str | None
    log_file: Path | None
    metrics_port: int | None
    metrics_file: Path | None

    def opened(self, out: Console, *others: Path, knows_rows: bool = True) -> Monitors:
        """Those programs.

        Args:
            out: where it is said that one cannot be told.
            others: files that are not theirs to write.
            knows_rows: see `Metrics`.

        Raises:
            UsageError: one of them cannot be told.
        """
        webhook = None
        if self.webhook:
            from bulksend.monitoring import Webhook  # noqa: PLC0415 -- it needs an HTTP client

            webhook = Webhook(self.webhook, self._secret())
        elif self.webhook_secret_file is not None:
            raise UsageError("--webhook-secret-file signs what a webhook is told: say which with --webhook")
        words = words_of(self.on_finish) if self.on_finish is not None else None
        monitors = Monitors(out, webhook, words)
        click.get_current_context().call_on_close(monitors.close)
        if self.log_file is not None:
            from bulksend.monitoring import Log  # noqa: PLC0415 -- most sends keep none

            _check_own("--log-file", self.log_file, others)
            monitors.add(Log(self.log_file, monitors.say))
        if self.metrics_port is not None or self.metrics_file is not None:
            if self.metrics_file is not None:
                _check_own("--metrics-file", self.metrics_file, (*others, *filter(None, (self.log_file,))))
            monitors.add(self._metrics(monitors.say, knows_rows=knows_rows))
        return monitors

    def _metrics(self, trouble: Trouble, *, knows_rows: bool) -> Monitor:
        try:
            from bulksend.monitoring import Metrics  # noqa: PLC0415 -- it needs an extra
        except ModuleNotFoundError as error:
            raise UsageError(
                "metrics need prometheus-client: in bulksend's folder, pip install '.[metrics]'"
            ) from error
        return Metrics(self.metrics_port, self.metrics_file, trouble, knows_rows=knows_rows)

    def _secret(self) -> bytes | None:
        path = self.webhook_secret_file
        if path is None:
            return None
        try:
            secret = path.read_bytes().strip()
        except OSError as error:
            raise UsageError(f"{path}: the webhook's secret cannot be read from it: {error.strerror}") from error
        if not secret:
            raise UsageError(f"{path}: there is no secret in it: the file is empty")
        return secret


MONITORS = Group(
    "watched",
    MonitorSettings,
    (
        option(
            "--webhook",
            metavar="URL",
            help="Where to POST a summary when sending has ended: https, or this machine. Never shown, never kept.",
        ),
        option(
            "--webhook-secret-file",
            metavar="F",
            type=click.Path(path_type=Path),
            help="A file that holds what the webhook's body is signed with.",
        ),
        option(
            "--on-finish",
            metavar="CMD",
            help="A command to run when sending has ended, without a shell; the summary is in its environment and on "
            "its input.",
        ),
        *WATCHING.options,
    ),
)


def watching(said: WatchSettings, out: Console) -> Monitors:
    """The programs that are told what a worker does; see `MonitorSettings.opened`."""
    return MonitorSettings(None, None, None, *said).opened(out, knows_rows=False)


class Monitors:
    """The programs that are told of one send, if any, and how it ended; a `Listener`, too.

    Args:
        out: where it is said that one could not be told.
        webhook: is told of the end.
        on_finish: the words of a command that is run then.
    """

    def __init__(self, out: Console, webhook: Webhook | None = None, on_finish: list[str] | None = None) -> None:
        self._out = out
        self._webhook = webhook
        self._on_finish = on_finish
        self._monitors: list[Monitor] = []
        self._has_begun = False
        self._told: Summary | None = None

    def add(self, monitor: Monitor) -> None:
        """One more that watches."""
        self._monitors.append(monitor)

    @property
    def listener(self) -> Listener | None:
        """Hears of attempts; None if nobody wants to."""
        return self if self._monitors else None

    def planned(self, place: str, plan: Plan) -> None:
        """This run is to be sent."""
        for monitor in self._monitors:
            monitor.planned(place, plan)

    def hear(self, event: CampaignEvent | WorkEvent) -> None:
        """Take in what happens."""
        if isinstance(event, Started):
            self._has_begun = True
        for monitor in self._monitors:
            monitor.hear(event)

    def hear_of(self, heard: Sequence[Heard]) -> None:
        """See `Listener.hear_of`."""
        for monitor in self._monitors:
            monitor.hear_of(heard)

    def ended(self, told: Summary, *, is_rehearsal: bool) -> None:
        """Take in how it ended: of its summary the counts, and the names of files and reasons."""
        told = {**told, "sandbox": is_rehearsal}
        self._told = {
            name: value
            for name, value in told.items()
            if name in _NAMES or not (name in _WORDED or isinstance(value, _WORDS))
        }

    @contextmanager
    def telling(self, place: str) -> Iterator[None]:
        """Tell of the end of whatever sends a run here, if that began, and however it ends."""
        try:
            yield
        except BaseException as error:
            if self._has_begun:
                self._tell(self._told or _summary_of(error, place))
            raise
        if self._has_begun and self._told is not None:
            self._tell(self._told)

    @contextmanager
    def telling_of_work(self) -> Iterator[None]:
        """Tell with which exit code a worker ends that goes from run to run, unless that is `worked`."""
        try:
            yield
        except BaseException as error:
            self.worked(_code_of(error))
            raise

    def worked(self, code: int) -> None:
        """Tell of a worker's end."""
        for monitor in self._monitors:
            monitor.ended({"exit": int(code)})

    def close(self) -> None:
        """Nothing more happens."""
        for monitor in self._monitors:
            monitor.close()

    def _tell(self, told: Summary) -> None:
        for monitor in self._monitors:
            monitor.ended(told)
        if self._webhook is not None:
            # A stranger need not know the folders and databases of this machine.
            places = {name: place_of(str(told[name])) for name in ("run", "results") if told.get(name)}
            named = {**told, **{name: name_of(place) for name, place in places.items()}}
            self.say(run_loop(self._webhook.tell(orjson.dumps(named), time.time())))
        if self._on_finish is not None:
            self.say(run_command(self._on_finish, told, orjson.dumps(told)))

    def say(self, trouble: str) -> None:
        """Say that a program could not be told; nothing if it could."""
        if trouble:
            self._out.print(f"{trouble[0].upper()}{trouble[1:]}.", style="yellow", soft_wrap=True)


def _check_own(option_name: str, path: Path, others: Sequence[Path]) -> None:
    for other in others:
        if path.resolve() == other.resolve():
            raise UsageError(f"{path}: this is read or written otherwise: name another file for {option_name}")


def _summary_of(error: BaseException, place: str) -> Summary:
    """How a send ended that had no end: what its run tells, if it can be read."""
    found: dict[str, object] = {"run": place}
    with suppress(BulksendError), open_run(place_of(place)) as run:
        found = summary.of_run(place, run.tally()) | {"sandbox": run.facts.address.is_rehearsal}
    return found | {"exit": int(_code_of(error)), "finish": "error"}


def _code_of(error: BaseException) -> int:
    match error:
        case BulksendError():
            return interrupts.code_of(error)
        case click.exceptions.Exit(exit_code=code) | SystemExit(code=int(code)):
            return code
        case KeyboardInterrupt() | click.Abort():
            return ExitCode.INTERRUPTED
        case BrokenPipeError():
            return ExitCode.STOPPED
        case _:
            return ExitCode.NOT_ALL_SENT
