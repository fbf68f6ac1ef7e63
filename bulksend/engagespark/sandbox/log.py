"""The sandbox's diary: every send that arrived, for people and tests to look at."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import orjson

from bulksend.engagespark.sandbox.answers import Response
from bulksend.errors import UsageError


@dataclass(frozen=True, slots=True)
class LoggedSend:
    """One send, as it came and as it went; what a body did not have, or had in an unreadable way, is None.

    Attributes:
        arrived: when its body had come in, a Unix time.
        path: where it was posted to.
        to: the ``to`` (or ``fullPhoneNumber``) as sent.
        contact_id: the ``contactId`` as sent.
        number: the phone it is for, "" where that is not known.
        message: the text as sent.
        sender: the ``from`` as sent.
        client_dedup: the ``clientDedup`` as sent.
        status: the HTTP status of its answer.
        message_id: the id of the accepted message (for a 409 the earlier one's), or "".
        accepted: it made a message.
        lost: its message was swallowed by the phone's cap.
        answered: False where the sandbox cut the connection in place of an answer.
        dedup_of: for a 409 the earlier message's id, or "".
    """

    arrived: float
    path: str
    to: object
    contact_id: object
    number: str
    message: object
    sender: object
    client_dedup: object
    status: int
    message_id: str
    accepted: bool
    lost: bool
    answered: bool
    dedup_of: str

    def to_json(self) -> bytes:
        """Serialise as a line of JSONL, with the API's names."""
        fields = {name: getattr(self, attribute) for name, attribute in _NAMES.items()}
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


_NAMES = {
    "arrived": "arrived",
    "path": "path",
    "to": "to",
    "contactId": "contact_id",
    "number": "number",
    "message": "message",
    "from": "sender",
    "clientDedup": "client_dedup",
    "status": "status",
    "messageId": "message_id",
    "accepted": "accepted",
    "lost": "lost",
    "answered": "answered",
    "dedupOf": "dedup_of",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """All sends in numbers: ``requests`` is the sum of ``accepted``, ``duplicates`` and ``refused``.

    Attributes:
        requests: sends that arrived.
        accepted: sends that made a message.
        duplicates: sends answered with 409.
        refused: all others, failures by chance too.
        lost: accepted, and then swallowed by a phone's cap.
        balance_micro: what is left to spend.
        worst: the most SMS (parts) that were accepted for one capped number within any window.
    """

    requests: int
    accepted: int
    duplicates: int
    refused: int
    lost: int
    balance_micro: int
    worst: int


class Log:
    """All records in memory, counted, and with a path in a file too.

    Attributes:
        records: one for each send, in order of arrival.
    """

    __slots__ = ("_accepted", "_duplicates", "_file", "_lost", "records")

    def __init__(self, path: Path | None = None) -> None:
        self.records: list[LoggedSend] = []
        self._accepted = self._duplicates = self._lost = 0
        self._file = None if path is None else _open(path)

    def add(self, record: LoggedSend) -> None:
        """Note a send; its line is with the operating system before this returns."""
        self.records.append(record)
        self._accepted += record.accepted
        self._duplicates += bool(record.dedup_of)
        self._lost += record.lost
        if self._file is not None:
            self._file.write(record.to_json())

    def summary(self, balance_micro: int, worst: int) -> Summary:
        """Count what happened so far."""
        requests = len(self.records)
        return Summary(
            requests=requests,
            accepted=self._accepted,
            duplicates=self._duplicates,
            refused=requests - self._accepted - self._duplicates,
            lost=self._lost,
            balance_micro=balance_micro,
            worst=worst,
        )

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()


def record(arrived: float, path: str, body: Mapping[str, object], response: Response) -> LoggedSend:
    """Describe a send and its response."""
    message = response.message
    message_id = "" if message is None else message.message_id
    return LoggedSend(
        arrived=arrived,
        path=path,
        to=body.get("to", body.get("fullPhoneNumber")),
        contact_id=body.get("contactId"),
        number=response.number,
        message=body.get("message"),
        sender=body.get("from"),
        client_dedup=body.get("clientDedup"),
        status=response.status,
        message_id=message_id,
        accepted=response.accepted,
        lost=message is not None and response.accepted and message.lost,
        answered=response.answered,
        dedup_of="" if response.accepted else message_id,
    )


def _open(path: Path) -> FileIO:
    """Open for appending, without a buffer that a kill could lose; it holds personal data."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"cannot write the sandbox's log {path}: {error.strerror}") from error
    return FileIO(descriptor, "a")
