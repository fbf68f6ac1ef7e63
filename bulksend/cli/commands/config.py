"""``bulksend config``: what holds, and where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click
from click.core import ParameterSource

from bulksend.cli import summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.configuration import KEY_NAME
from bulksend.cli.key import KEY_VARIABLE, way_that_counts
from bulksend.cli.masking import MASK, masked, without_password
from bulksend.cli.options import DEFAULT_BASE_URL
from bulksend.cli.settings import Command, configuration, defaults, every_command, key_of, option
from bulksend.words import printable

_PLACES = {
    ParameterSource.COMMANDLINE: "flag",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file",
}
_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "BULKSEND_STATE_DIR")
_DEFAULTS = {"base-url": DEFAULT_BASE_URL}  # which a run may know otherwise
_DEFAULT_TOLD = re.compile(r"\[default: (.*)\]$")  # in its help
_WRITTEN = (str, int, float, list, tuple)
_WAYS = (KEY_NAME, "api-key-file", "api-key-command")


class _Setting(NamedTuple):
    """An option, or a variable that is heeded.

    Attributes:
        name: its name.
        place: flag, environment, file or default.
        value: what it is set to, masked; None if nothing is.
        counts: whether it holds: of several that name a key one does.
        unset: what holds where nothing is set, in words, as help tells it.
    """

    name: str
    place: str
    value: str | None
    counts: bool = True
    unset: str = "-"


@click.group
def command() -> None:
    """Look at what the environment and bulksend.toml settle."""


@command.command(
    name="show",
    cls=Command,
    context_settings={"ignore_unknown_options": True},
    examples=("bulksend config show", "bulksend config show --rate 50 --json"),
    exits={ExitCode.OK: "shown", ExitCode.USAGE: "something that is set cannot be used"},
)
@click.argument("given", metavar="[OPTIONS OF SEND]", nargs=-1, type=click.UNPROCESSED)
@option("--json", "as_json", is_flag=True, help="One object on stdout.")
def show_command(given: Sequence[str], *, as_json: bool) -> ExitCode:
    """Show what holds for each option, and where it comes from: a flag, the environment, a file or the default.

    Secrets are masked: the key, a password in an address, what follows the name of a program or the host of a web hook.
    """
    path = configuration(click.get_current_context()).path
    place = None if path is None else str(path.absolute())
    settings = [*_options(given), *_variables()]
    if as_json:
        listed = [{"name": each.name, "from": each.place, "value": each.value} for each in settings if each.counts]
        summary.write({"file": place, "settings": listed})
        return ExitCode.OK
    click.echo(f"file: {printable(place or 'none')}")
    width = max(len(each.name) for each in settings)
    for each in settings:
        value = each.unset if each.value is None else each.value
        other = "" if each.counts else "  (another key goes before)"
        click.echo(f"{each.name:<{width}}  {each.place:<11}  {value}{other}")
    return ExitCode.OK


def _options(given: Sequence[str]) -> list[_Setting]:
    """Every option once: as `send` has it, or else the first command that has it."""
    commands = every_command()
    of_send = _called("send", commands.pop("send"), given)
    found = {KEY_NAME: _key(of_send)}
    for ctx in (of_send, *(_called(name, other, ()) for name, other in commands.items())):
        for each in _of(ctx):
            found.setdefault(each.name, each)
    counts = way_that_counts(of_send, of_send.params["api_key_file"], of_send.params["api_key_command"])
    return [
        each._replace(counts=each.name == counts) if each.name in _WAYS and each.value is not None else each
        for each in found.values()
    ]


def _called(name: str, called: click.Command, given: Sequence[str]) -> click.Context:
    """A command as if it were called like this, which it is not."""
    ctx = click.Context(called, info_name=name, parent=click.get_current_context().find_root())
    ctx.default_map = defaults(configuration(ctx), called)
    said = called.make_parser(ctx).parse_args(list(given))[0]
    for param in called.params:
        written, source = param.consume_value(ctx, said)
        ctx.params[param.name or ""] = written if isinstance(written, _WRITTEN) and written not in ((), "") else None
        ctx.set_parameter_source(param.name or "", source)
    return ctx


def _of(ctx: click.Context) -> Iterator[_Setting]:
    """The options of a command, each as it is written.

    Raises:
        BadParameter: one cannot be set to what is written.
    """
    for param in ctx.command.params:
        written, source = ctx.params[param.name or ""], ctx.get_parameter_source(param.name or "")
        if key := key_of(param):
            becomes = None if written is None else param.type_cast_value(ctx, written)
            value = (
                _DEFAULTS.get(key)
                if written is None
                else masked(key, becomes if isinstance(becomes, bool) else written)
            )
            told = _DEFAULT_TOLD.search(getattr(param, "help", None) or "")
            unset = told[1] if told else "-"
            yield _Setting(key, _PLACES.get(source, "default") if source else "default", value, unset=unset)


def _key(ctx: click.Context) -> _Setting:
    if os.environ.get(KEY_VARIABLE, "").strip():
        return _Setting(KEY_NAME, "environment", MASK)
    is_in_file = KEY_NAME in configuration(ctx).settings
    return _Setting(KEY_NAME, "file", MASK) if is_in_file else _Setting(KEY_NAME, "default", None)


def _variables() -> Iterator[_Setting]:
    """What else is heeded in the environment."""
    for name in _VARIABLES:
        value = os.environ.get(name) or os.environ.get(name.lower())
        if value:
            yield _Setting(name, "environment", printable(without_password(value)))
