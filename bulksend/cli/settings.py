"""Where options come from: the command line, the environment, bulksend.toml; in this order."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from bulksend.cli.configuration import FILE, KEY_NAME, Configuration, read_configuration
from bulksend.cli.sections import sections_of
from bulksend.errors import UsageError

PROGRAMS = ("api-key-command", "on-finish")
"""Options whose values are programs to start."""

_ARGUMENTS = "bulksend.arguments"
_CONFIGURATION = "bulksend.configuration"

_F = TypeVar("_F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose options have their defaults in bulksend.toml, and whose help ends with what it ends with.

    Args:
        examples: what people type.
        exits: what each exit code means of this command.
        attributes: as click has them.
    """

    def __init__(
        self, *args: Any, examples: Sequence[str] = (), exits: Mapping[int, str] | None = None, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples
        self.exits = exits or {}
        self.params.append(_CONFIG)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was written, for whoever words the next command; what does not fit is told with the file."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            if error.param and ctx.get_parameter_source(error.param.name or "") is ParameterSource.DEFAULT_MAP:
                error.param_hint = f"{error.param.get_error_hint(ctx)} in {configuration(ctx).path}"
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write options under what they are about, where there are many."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        listed = [(param, record) for param in options if (record := param.get_help_record(ctx))]
        for title, records in sections_of(listed):
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples and exit codes."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"{'':>{formatter.current_indent}}{each}\n" for each in self.examples))
        if self.exits:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(int(code)), means) for code, means in self.exits.items()])
        super().format_epilog(ctx, formatter)


def arguments_of(context: click.Context) -> tuple[str, ...]:
    """What was written behind a command's name."""
    found: tuple[str, ...] = context.meta.get(_ARGUMENTS, ())
    return found


def option(*declarations: str, **attributes: Any) -> Callable[[_F], _F]:
    """A click option that is also read from BULKSEND_<NAME>."""
    name = next(given for given in declarations if given.startswith("--")).split("/")[0]
    return click.option(*declarations, envvar=_variable(name), **attributes)


def configuration(ctx: click.Context) -> Configuration:
    """What stands in the file by which a command runs."""
    found: Configuration = ctx.meta.get(_CONFIGURATION, Configuration())
    return found


def key_of(param: click.Parameter) -> str | None:
    """The name of an option in bulksend.toml; None if it is none that can stand there."""
    if isinstance(param, click.Option) and not param.hidden and param is not _CONFIG:
        return next((given.removeprefix("--") for given in param.opts if given.startswith("--")), None)
    return None


def every_command() -> dict[str, click.Command]:
    """All commands that do something by what is typed for them, those within commands as well."""
    from bulksend.cli import COMMANDS, program  # noqa: PLC0415 -- the commands import this module

    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = program.get_command(click.Context(program), name)
        if isinstance(command, click.Group):
            found |= {f"{name} {part}": each for part, each in command.commands.items()}
        elif command:
            found[name] = command
    return found


def defaults(found: Configuration, command: click.Command) -> dict[str, object]:
    """What the file says of a command's options, as click wants it.

    Raises:
        UsageError: something in the file is no option, or its value cannot be one.
    """
    params = {key: param for param in command.params if (key := key_of(param))}
    _check_known(found, params)
    return {
        str(params[key].name): _fit(key, value, params[key], found)
        for key, value in found.settings.items()
        if key in params
    }


def _use_file(ctx: click.Context, _param: click.Parameter, named: Path | None) -> None:
    """Put the file's values below the environment's and above the built-in defaults."""
    found = ctx.meta[_CONFIGURATION] = read_configuration(named)
    ctx.default_map = defaults(found, ctx.command)


def _variable(name: str) -> str:
    return "BULKSEND_" + name.removeprefix("--").replace("-", "_").upper()


_CONFIG = click.Option(
    ["--config"],
    envvar=_variable("--config"),
    metavar="F",
    type=click.Path(path_type=Path, readable=False),
    is_eager=True,
    expose_value=False,
    callback=_use_file,
    help=f"Where options are read from.  [default: {FILE} here or, at home, above]",
)


def _check_known(found: Configuration, params: Mapping[str, click.Parameter]) -> None:
    if found.settings.keys() <= params.keys() | {KEY_NAME}:
        return
    from difflib import get_close_matches  # noqa: PLC0415 -- a slip is rare

    params_of_all = [param for command in every_command().values() for param in command.params]
    known = {KEY_NAME, *(key for param in params_of_all if (key := key_of(param)))}
    for key, value in found.settings.items():
        if key in known:
            continue
        if isinstance(value, dict):
            raise UsageError(
                f"{found.path}: there is no option {key!r}, and no table [{key}]: options stand above all tables, for "
                "all commands, and [lint] is the only table"
            )
        near = get_close_matches(key, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
        raise UsageError(f"{found.path}: there is no option {key!r}{hint}")


def _fit(key: str, value: object, param: click.Parameter, found: Configuration) -> object:
    if isinstance(value, list) and param.multiple:
        return [_fit_one(key, each, param, found) for each in value]
    one = _fit_one(key, value, param, found)
    return [one] if param.multiple else one


def _fit_one(key: str, value: object, param: click.Parameter, found: Configuration) -> object:
    kinds, says = _kinds(param)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        many = ", or an array of them" if param.multiple and not isinstance(value, list) else ""
        raise UsageError(f"{found.path}: {key!r} (--{key}) takes {says}{many}, not {_named(value)}")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, str) and isinstance(param.type, click.Path):
        return _path(value, found)
    return _command(value, found) if isinstance(value, str) and key in PROGRAMS else value


def _kinds(param: click.Parameter) -> tuple[tuple[type, ...], str]:
    """What a value in the file may be: numbers without quotes also where text is wanted."""
    if isinstance(param.type, click.types.BoolParamType):
        return (bool,), "true or false"
    if isinstance(param.type, click.types.IntParamType):
        return (int,), "a whole number, without quotes"
    if isinstance(param.type, click.types.FloatParamType):
        return (int, float), "a number, without quotes"
    if isinstance(param.type, click.Path):
        return (str,), "a path, in quotes"
    return (str, int, float, datetime, date, time), "text, in quotes"


def _named(value: object) -> str:
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "a table"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def _path(text: str, found: Configuration) -> str:
    """A path as it is meant in the file; an address, as of a database, is none."""
    if "://" in text:
        return text
    return str(found.folder / Path(text).expanduser()) if text else text


def _command(text: str, found: Configuration) -> str:
    """A command whose program, named by its path, is the one beside the file, whatever lies in the current folder."""
    try:
        program, *rest = shlex.split(text)
    except ValueError:  # nothing, or a quote is not closed: told where it would be started
        return text
    return shlex.join([str(found.folder.absolute() / program), *rest]) if "/" in program else text
