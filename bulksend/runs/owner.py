"""Who works on a run: the process, told from any other of the same number."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson

from bulksend.files import process_started_at
from bulksend.runs.clock import boot_id

_PROCESSES = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that has or last had a run for sending.

    Attributes:
        pid: its id.
        host: the machine's name.
        since: when it took the run over, in seconds since 1970.
        started_at: when the process started, by the machine's own count; None or 0 if nobody knows.
        among: among which processes it has its id, see `processes_here`; None where the machine's name is to tell.
    """

    pid: int
    host: str
    since: float
    started_at: int | None = None
    among: str | None = field(default=None, compare=False)

    @classmethod
    def now(cls, wall_s: float, among: str | None = None) -> Owner:
        """This process."""
        return cls(os.getpid(), socket.gethostname(), wall_s, process_started_at(os.getpid()), among)

    @classmethod
    def read(cls, kept: str) -> Owner:
        """What was kept of one, see `kept`."""
        return cls(**orjson.loads(kept))

    @property
    def kept(self) -> dict[str, object]:
        """What is kept of it, as JSON; nothing of what is not told, so that earlier versions read it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def is_of_this_machine(self) -> bool:
        """Whether it runs, or ran, under this machine's name, where its id means the same."""
        return self.host == socket.gethostname() and (self.among is None or self.among == processes_here())

    @property
    def is_gone(self) -> bool:
        """Whether it surely runs no more; of another machine's nobody knows here."""
        if not self.is_of_this_machine:
            return False
        found = process_started_at(self.pid)
        if found is None:
            return True
        return bool(found and self.started_at) and found != self.started_at  # else the machine does not tell

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {since}"


@cache
def processes_here() -> str | None:
    """Which processes can be seen from here: those of this start of this machine, or of this container alone.

    Machines may bear the same name, and do where they are copies; each container has a process 1. None where that is
    not told: it is not Linux.
    """
    boot = boot_id()
    try:
        return None if boot is None else f"{boot} {_PROCESSES.readlink()}"
    except OSError:
        return None


class Asked(NamedTuple):
    """That whoever sends a run was asked to end.

    Attributes:
        owner: whoever sends it; None if workers do, or will.
        at_s: when it was asked first, in seconds since 1970.
        is_anew: whether it had been asked before.
    """

    owner: Owner | None
    at_s: float
    is_anew: bool
