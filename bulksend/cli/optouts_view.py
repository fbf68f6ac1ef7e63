"""Who opted out, and who asked to, as people see it."""

from __future__ import annotations

import time

import click
from rich.console import Console

from bulksend.campaign import Asked
from bulksend.cli import people
from bulksend.engagespark import Looked
from bulksend.runs import OptOut


def show_asked(asked: Asked, out: Console) -> None:
    """Who asked for no more, and who may have."""
    for each in asked.stops:
        click.echo(optout_line(each))
    if not asked.stops and asked.looked is Looked.THROUGH:
        click.echo("Nobody asked for no more who is not on the list already.", err=True)
    if asked.known:
        click.echo(f"{asked.known:,} more asked who {_are(asked.known)} on the list already.", err=True)
    if asked.unreadable:
        click.echo(f"{asked.unreadable:,} more asked whose number is none that can be sent to.", err=True)
    if asked.unsure:
        click.echo(
            "These began so and went on, and are not taken; if they mean it, add them by their numbers:", err=True
        )
    for each in asked.unsure:
        click.echo(_masked(each, out) if people.are_hidden(out) else optout_line(each), err=True)
    if asked.unsure and people.are_hidden(out):
        click.echo(people.LEFT_OUT, err=True)


def optout_line(each: OptOut) -> str:
    """Who, since when, and why."""
    who = f"contact {each.recipient}" if isinstance(each.recipient, int) else each.recipient
    return f"{who:<16}  {time.strftime('%Y-%m-%d', time.localtime(each.since_s))}  {each.reason}".rstrip()


def _masked(each: OptOut, out: Console) -> str:
    who = people.recipient(f"{each.recipient}", out)
    return f"{who:<16}  {time.strftime('%Y-%m-%d', time.localtime(each.since_s))}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
