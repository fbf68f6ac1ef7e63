"""``--strict``: what is remarked on texts and senders is an error."""

from __future__ import annotations

from collections.abc import Collection

import click

from bulksend.cli.settings import configuration
from bulksend.errors import Remark, UsageError
from bulksend.planning import Findings, Lint, lint_from
from bulksend.rules import Rule


def check_strict(findings: Findings, allowed: Collection[Rule], *, is_strict: bool) -> None:
    """See that nothing is remarked on texts and senders, where that is an error.

    Args:
        findings: what planning found.
        allowed: rules that are none all the same.
        is_strict: whether it is one.

    Raises:
        UsageError: something is; the sentence names the rules.
    """
    refused = refused_by(findings, allowed) if is_strict else ()
    if refused:
        names = ", ".join(dict.fromkeys(f"{remark.rule}" for remark in refused))
        raise UsageError(
            f"nothing was sent: with --strict these remarks on texts and senders are errors: {names}; mend what they "
            "are about, or name those that are meant in [lint] allow"
        )


def house_lint() -> Lint:
    """What a house says of itself, in the file by which the command runs.

    Raises:
        UsageError: that cannot be used.
    """
    found = configuration(click.get_current_context())
    try:
        return lint_from(found.lint)
    except UsageError as error:
        raise UsageError(f"{found.path}: {error}") from error


def refused_by(findings: Findings, allowed: Collection[Rule]) -> tuple[Remark, ...]:
    """The remarks that strictness makes errors of."""
    told = (*findings.warnings, *findings.notes)
    return tuple(each for each in told if each.rule and each.rule.is_strict and each.rule not in allowed)
