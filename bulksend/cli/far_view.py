"""What is settled by a file that lies elsewhere, and nobody may have in mind: told before anything is sent."""

from __future__ import annotations

import click
from click.core import ParameterSource

from bulksend.cli.masking import masked
from bulksend.cli.settings import configuration, key_of
from bulksend.words import printable

_TOLD = ("base-url", "webhook", "yes", "on-finish", "api-key-command")


def far_lines() -> list[str]:
    """Where messages go, who hears of it, what is started and not asked, as far as another folder's file says."""
    ctx = click.get_current_context()
    found = configuration(ctx)
    if found.is_here:
        return []
    said = []
    for param in ctx.command.params:
        key, value = key_of(param), (ctx.default_map or {}).get(param.name or "")
        if key in _TOLD and value and ctx.get_parameter_source(param.name or "") is ParameterSource.DEFAULT_MAP:
            said.append(key if value is True else f"{key} {masked(key, value)}")
    return [f"From {printable(str(found.path))}: {', '.join(said)}"] if said else []
