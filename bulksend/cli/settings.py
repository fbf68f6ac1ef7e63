"""Where options come from: the command line, the environment, bulksend.toml; in this order."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from bulksend.cli.access import missing
from bulksend.errors import UsageError

FILE = Path("bulksend.toml")
KEY_VARIABLE = "BULKSEND_API_KEY"
KEY_NAME = "api-key"
_ARGUMENTS = "bulksend.arguments"

_F = TypeVar("_F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose options have their defaults in bulksend.toml."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Put the file's values below the environment's and above the built-in defaults."""
        extra["default_map"] = self._defaults(read_file())
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was written, for whoever words the next command."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def _defaults(self, settings: Mapping[str, object]) -> dict[str, object]:
        params = {spelling: param for param in self.params for spelling in _spellings(param)}
        return {
            str(params[key].name): _fit(key, value, params[key]) for key, value in settings.items() if key in params
        }


def arguments_of(context: click.Context) -> tuple[str, ...]:
    """What was written behind a command's name."""
    found: tuple[str, ...] = context.meta.get(_ARGUMENTS, ())
    return found


def _fit(key: str, value: object, param: click.Parameter) -> object:
    if param.multiple:
        return value if isinstance(value, list) else [value]
    if isinstance(value, list | dict):
        raise UsageError(f"{FILE}: {key!r} takes one value, not {value!r}")
    return value


def option(*declarations: str, **attributes: Any) -> Callable[[_F], _F]:
    """A click option that is also read from BULKSEND_<NAME>."""
    name = next(given for given in declarations if given.startswith("--")).split("/")[0]
    variable = "BULKSEND_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(*declarations, envvar=variable, **attributes)


def read_file() -> dict[str, object]:
    """The settings in bulksend.toml, by option name with dashes; empty if there is no such file.

    Raises:
        UsageError: the file is no TOML, or holds what is no option.
    """
    try:
        text = FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{FILE}: cannot be read: {error}") from error
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{FILE}: this is not TOML: {error}") from error
    settings = {key.replace("_", "-"): value for key, value in found.items()}
    known = _known_names()
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
            raise UsageError(f"{FILE}: there is no option {key!r}{hint}")
    return settings


def api_key(key_file: Path | None, source: ParameterSource | None) -> str:
    """The secret: from --api-key-file, the environment or bulksend.toml, in this order.

    Raises:
        UsageError: there is none, or its file cannot be read.
    """
    if key_file is not None and source is ParameterSource.COMMANDLINE:
        return _key_in(key_file)
    if key := os.environ.get(KEY_VARIABLE, "").strip():
        return _checked(key, KEY_VARIABLE)
    if key_file is not None:
        return _key_in(key_file)
    if key := str(read_file().get(KEY_NAME, "")).strip():
        return _checked(key, str(FILE))
    raise missing(key=True, organization=False)


def _key_in(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the API key cannot be read from it: {error}") from error
    if not key:
        raise UsageError(f"{path}: there is no API key in it: the file is empty")
    return _checked(key, str(path))


def _checked(key: str, place: str) -> str:
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(f"{place}: the API key in it holds spaces or other characters that no key has")
    return key


def _spellings(param: click.Parameter) -> list[str]:
    if getattr(param, "hidden", False):
        return []  # --api-key, which is only there to be refused
    return [spelling.removeprefix("--") for spelling in param.opts if spelling[:2] == "--"]


def _known_names() -> set[str]:
    from bulksend.cli import COMMANDS, program  # noqa: PLC0415 -- the commands import this module

    found = {KEY_NAME}
    for name in COMMANDS:
        command = program.get_command(click.Context(program), name)
        if command is not None:
            found.update(spelling for param in command.params for spelling in _spellings(param))
    return found
