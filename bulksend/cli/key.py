"""The API key: from a flag, the environment or bulksend.toml, and there from one place alone."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
from click.core import ParameterSource

from bulksend.cli.access import missing
from bulksend.cli.configuration import KEY_NAME
from bulksend.cli.settings import configuration
from bulksend.errors import UsageError
from bulksend.words import printable

KEY_VARIABLE = "BULKSEND_API_KEY"

_COMMAND_S = 60
_KEPT = "bulksend.api-key"
_LEVELS = {
    ParameterSource.COMMANDLINE: "on the command line",
    ParameterSource.ENVIRONMENT: "in the environment",
    ParameterSource.DEFAULT_MAP: "in bulksend.toml",
}
"""The first that names a key counts."""
_SECRETS = (KEY_VARIABLE, "PGPASSWORD")


def api_key(ctx: click.Context, file: Path | None, command: str | None) -> str:
    """The secret, which is looked for when it is first wanted, and once.

    Args:
        ctx: the command that wants it.
        file: the file that is to hold it, if one is named.
        command: the command that is to print it, if one is named.

    Raises:
        UsageError: there is none, it cannot be had, or more than one is named in the same place.
    """
    if _KEPT not in ctx.meta:
        ctx.meta[_KEPT] = _looked_for(ctx, file, command)
    key: str = ctx.meta[_KEPT]
    return key


def children_environment() -> dict[str, str]:
    """This process's environment without the secrets in it, for programs that it starts."""
    return {name: value for name, value in os.environ.items() if name not in _SECRETS}


class _Way(NamedTuple):
    level: ParameterSource | None
    name: str
    key: Callable[[], str]


def way_that_counts(ctx: click.Context, file: Path | None, command: str | None) -> str | None:
    """The name of the option by which a command has its key; None if it has none.

    Raises:
        UsageError: more than one is named in the same place.
    """
    way = _first(ctx, file, command)
    return way.name if way else None


def _looked_for(ctx: click.Context, file: Path | None, command: str | None) -> str:
    if way := _first(ctx, file, command):
        return way.key()
    raise missing(key=True, organization=False)


def _first(ctx: click.Context, file: Path | None, command: str | None) -> _Way | None:
    ways = list(_ways(ctx, file, command))
    for level, place in _LEVELS.items():
        named = [way for way in ways if way.level is level]
        if len(named) > 1:
            both = " and ".join(way.name for way in named)
            raise UsageError(f"{both} are both given {place}, and each names an API key: leave one out")
        if named:
            return named[0]
    return None


def _ways(ctx: click.Context, file: Path | None, command: str | None) -> Iterator[_Way]:
    """What names a key, and where that is said."""
    if key := os.environ.get(KEY_VARIABLE, "").strip():
        yield _Way(ParameterSource.ENVIRONMENT, KEY_NAME, lambda: _checked(key, KEY_VARIABLE))
    found = configuration(ctx)
    if written := str(found.settings.get(KEY_NAME, "")).strip():
        yield _Way(ParameterSource.DEFAULT_MAP, KEY_NAME, lambda: _checked(written, str(found.path)))
    if file is not None:
        yield _Way(ctx.get_parameter_source("api_key_file"), "api-key-file", lambda: _in_file(file))
    if command is not None:
        yield _Way(ctx.get_parameter_source("api_key_command"), "api-key-command", lambda: _of_command(command))


def _in_file(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path}: the API key cannot be read from it: {why}") from error
    if not key:
        raise UsageError(f"{path}: there is no API key in it: the file is empty")
    return _checked(key, str(path))


def _of_command(command: str) -> str:
    """What a command prints. Of its arguments and its output nothing is told: either may hold a secret."""
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise UsageError("--api-key-command: a quote in it is not closed") from error
    if not arguments:
        raise UsageError("--api-key-command: it is empty")
    name = f"the API key's command, {printable(arguments[0])},"
    try:
        ended = subprocess.run(  # noqa: S603 -- the user's own command, by no shell
            arguments,
            stdin=subprocess.DEVNULL,  # standard input may be the campaign
            capture_output=True,
            timeout=_COMMAND_S,
            env=children_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{name} did not end within {_COMMAND_S} seconds") from None  # its output is in the cause
    except OSError as error:
        raise UsageError(f"{name} cannot be started: {error.strerror}") from error
    if ended.returncode:
        raise UsageError(f"{name} failed: {_why(ended)}")
    printed = ended.stdout.split(b"\n", 1)[0].decode(errors="replace").strip()
    if not printed:
        raise UsageError(f"{name} printed no key in its first line")
    return _checked(printed, "--api-key-command")


def _why(ended: subprocess.CompletedProcess[bytes]) -> str:
    how = f"exit code {ended.returncode}" if ended.returncode > 0 else f"signal {-ended.returncode}"
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    return f"{how}: {printable(said[-1].strip())}" if said else how


def _checked(key: str, place: str) -> str:
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(f"{place}: the API key in it holds spaces or other characters that no key has")
    return key
