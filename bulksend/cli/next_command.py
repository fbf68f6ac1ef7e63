"""The command that comes next, as it can be pasted: with those of the given options that it needs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from bulksend.campaign import Ending, NextStep
from bulksend.cli.given import PlanSettings, TargetSettings
from bulksend.cli.settings import arguments_of
from bulksend.model import Status
from bulksend.runs import beside, place_of

_PLANNED = frozenset(PlanSettings._fields)
_TARGET = frozenset(TargetSettings._fields)
_NOT_AGAIN = frozenset(
    {
        *("run", "new", "start_at"),  # the run is named, has begun, and keeps its moment
        *("as_json", "verbose", "quiet", "no_progress"),  # it is for a person
        *("on_finish", "webhook", "webhook_secret_file"),  # what may hold secrets is shown to nobody
    }
)


def next_command(ending: Ending, place: str) -> str:
    """The command that comes next after a send; empty if none is needed.

    Args:
        ending: how it ended.
        place: its run.
    """
    match ending.next_step:
        case NextStep.NOTHING:
            return ""
        case NextStep.LOOK:
            return _joined("status", place)
        case NextStep.MEND:
            return _joined("retry", place, "-o", _free(place, "mend"))
        case NextStep.RESOLVE:
            return _joined("resolve", place, *_given({*_TARGET, "results"}))
        case _:
            changed = {}
            if ending.budget is not None:
                changed["max_cost"] = f"{ending.budget // 1_000_000}.{ending.budget % 1_000_000 // 10_000:02}"
            if ending.errors is not None:
                changed["max_errors"] = f"{ending.errors}"
            return _joined(_name(), place, *_given(None, changed))


def kept_command(place: str) -> str:
    """The command that sends a plan which was kept, as it is."""
    context = click.get_current_context()
    needed = {param.name for param in context.command.params if param.name in _PLANNED and _is_needed(context, param)}
    return _joined("send", place, *_given({"config", "sandbox", *filter(None, needed)}))


def results_command(place: str, statuses: Collection[Status]) -> str:
    """The command that writes the rows of some statuses with their reasons."""
    return _joined("results", place, "-o", _free(place, "-".join(statuses)), "--where", f"status={','.join(statuses)}")


def rewrite_command(place: str) -> str:
    """The command that writes the results to another file, beside the run, which could be written."""
    return _joined("results", place, "-o", _free(place, "all-results"))


def _name() -> str:
    return "resolve" if click.get_current_context().info_name == "resolve" else "send"


def _joined(command: str, place: str, *more: str) -> str:
    return shlex.join(["bulksend", command, f"./{place}" if place.startswith("-") else place, *more])


def _free(place: str, kind: str) -> str:
    """A file beside the run that is nobody's."""
    run, number = place_of(place), 1
    found = beside(run, f".{kind}.csv")
    while found.exists() or found.with_suffix(".run").exists():
        number += 1
        found = beside(run, f".{kind}-{number}.csv")
    return f"./{found}" if f"{found}".startswith("-") else f"{found}"


def _given(names: Collection[str] | None, changed: Mapping[str, str] = {}) -> Iterator[str]:
    """The options that were given on the command line, of these or of all that are needed once more.

    What decides how rows become messages stands in the run. It is said again only where the environment or the
    settings would say something else.
    """
    context = click.get_current_context()
    given = _as_given(context)
    for param in context.command.params:
        name = param.name or ""
        if name in changed:
            yield from (_long(param), changed[name])
        elif name in given and (name in names if names is not None else _is_needed(context, param)):
            yield from _written(param, given[name])


def _is_needed(context: click.Context, param: click.Parameter) -> bool:
    name = param.name or ""
    if name in _NOT_AGAIN:
        return False
    if name not in _PLANNED:
        return True
    pair = {"message", "message_file"}  # either goes before the other
    rivals = pair if name in pair else {name}
    return any(
        f"{each.envvar}" in os.environ or each.name in (context.default_map or {})
        for each in context.command.params
        if each.name in rivals
    )


def _as_given(context: click.Context) -> dict[str, Any]:
    """The options of the command line in the words of it."""
    parser = context.command.make_parser(context)
    found, _, _ = parser.parse_args(list(arguments_of(context)))
    return {
        name: value
        for name, value in found.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        and any(isinstance(param, click.Option) and param.name == name for param in context.command.params)
    }


def _written(param: click.Parameter, value: Any) -> Iterator[str]:
    if isinstance(param, click.Option) and param.is_flag:
        yield _long(param) if value in (True, "true") else param.secondary_opts[0]
        return
    for each in value if isinstance(value, list | tuple) else [value]:
        yield from (f"{_long(param)}={each}",) if f"{each}".startswith("-") else (_long(param), f"{each}")


def _long(param: click.Parameter) -> str:
    return next(name for name in param.opts if name.startswith("--"))
