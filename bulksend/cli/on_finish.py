"""``--on-finish``: a command that is run when a send has ended, without a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from bulksend.errors import UsageError

_LIMIT_S = 60.0
_STDERR = 2  # stdout is for data
_NOT_PASSED_ON = (
    "BULKSEND_API_KEY",
    "BULKSEND_API_KEY_COMMAND",
    "BULKSEND_ON_FINISH",  # or a `bulksend` that it runs would run it once more
    "BULKSEND_WEBHOOK",
    "PGPASSWORD",
)
VARIABLES = {
    "BULKSEND_RUN": "run",
    "BULKSEND_EXIT": "exit",
    "BULKSEND_FINISH": "finish",
    "BULKSEND_STOP": "stop",
    "BULKSEND_ROWS": "rows",
    "BULKSEND_SENT": "sent",
    "BULKSEND_REJECTED": "rejected",
    "BULKSEND_FAILED": "failed",
    "BULKSEND_UNKNOWN": "unknown",
    "BULKSEND_INVALID": "invalid",
    "BULKSEND_SKIPPED": "skipped",
    "BULKSEND_PENDING": "pending",
    "BULKSEND_ATTEMPTS": "attempts",
    "BULKSEND_ESTIMATE_MICRO": "estimateMicro",
    "BULKSEND_SECONDS": "seconds",
    "BULKSEND_RESULTS_FILE": "results",
}
"""What the command finds in its environment, by the summary's names; all but the first are no option's variable."""


def words_of(command: str) -> list[str]:
    """A command's words.

    Raises:
        UsageError: it cannot be read, or there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the command for --on-finish cannot be read: {error}") from error
    if not words:
        raise UsageError("the command for --on-finish is empty")
    if shutil.which(words[0]) is None:
        raise UsageError(f"--on-finish: there is no program {words[0]}")
    return words


def run_command(words: Sequence[str], told: Mapping[str, object], body: bytes, limit_s: float = _LIMIT_S) -> str:
    """Run a command and wait for its end; what went wrong, empty if nothing did.

    Args:
        words: the command.
        told: the summary that it finds in its environment.
        body: the same as JSON, on its standard input.
        limit_s: it and what it has started are killed after that.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 -- it is the user's own
            words, stdin=subprocess.PIPE, stdout=_STDERR, env=_environment(told), start_new_session=True
        )
    except OSError as error:
        return f"the command {words[0]} of --on-finish could not be run: {error.strerror}"
    try:
        process.communicate(body, timeout=limit_s)
    except subprocess.TimeoutExpired:
        _kill(process)
        return f"the command {words[0]} of --on-finish was killed: it took longer than {limit_s:g} s"
    except BaseException:
        _kill(process)
        raise
    if not process.returncode:
        return ""
    return f"the command {words[0]} of --on-finish ended with {_end_words(process.returncode)}"


def _environment(told: Mapping[str, object]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    values = {variable: told.get(name) for variable, name in VARIABLES.items()}
    return kept | {variable: "" if value is None else str(value) for variable, value in values.items()}


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _end_words(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"
