"""One tree of exceptions; each carries the sentence that people see."""

from __future__ import annotations


class BulksendError(Exception):
    """Base of everything bulksend raises on purpose; ``str(error)`` is one clear sentence for people."""


class UsageError(BulksendError):
    """An option, a setting or the input as a whole cannot be used: nothing was sent (exit code 2)."""


class InputError(UsageError):
    """The input cannot be read as a whole: missing, empty, binary, or without the columns it needs."""


class RunFileError(BulksendError):
    """The run file could not be read or written; what was not noted in it was not sent (exit code 3)."""


class OwnedError(BulksendError):
    """Another process owns the run file (exit code 4)."""
