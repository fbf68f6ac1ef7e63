"""What ``send`` asks of which run is meant, and what it tells of that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Begun, Changed, Opener, Since
from bulksend.cli import again_view
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import confirmed
from bulksend.cli.excluded_view import excluded_teller
from bulksend.cli.given import PlanSettings, TargetSettings
from bulksend.cli.sending import agreed, has_terminal
from bulksend.errors import Question, UndecidedError, UsageError
from bulksend.runs import Address, Place, names_run, open_run, place_of

_ASKED = {
    Question.SENT_BEFORE: "Send to all again?",
    Question.LOST: "Send all the same?",
}
_UNASKED = {
    Question.SENT_BEFORE: "put its file back to go on with it, or say --repeat to send to all again",
    Question.LOST: "put its file back, or say --repeat to send what it may have sent again",
}
"""What to do where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks at the terminal, if there is one; see `campaign.Deciding`.

    Attributes:
        out: where it talks.
        new: whether it is said already that another run begins beside one that has begun.
    """

    out: Console
    new: bool

    def goes_on(self, found: Begun) -> None:
        """Say so."""
        again_view.tell_going_on(self.out, found)

    def is_for_another(self, found: Begun) -> bool:
        """Say that it is finished, and ask; without a terminal it is not, unless that was said."""
        again_view.tell_finished(self.out, found)
        another = found.another.place
        if self.new:
            return True
        if has_terminal():
            return confirmed(f"Begin another run beside it, {another}?", self.out)
        self.out.print(f"--new begins another run beside it, {another}.", soft_wrap=True)
        return False

    def replans(self, since: Since) -> None:
        """Say so."""
        again_view.tell_changed(self.out, since)
        again_view.tell_replanned(self.out, since)

    def begins_another(self, found: Changed) -> None:
        """Say what is otherwise, and ask."""
        since, another = found.since, found.draft.place
        if not self.new and not has_terminal():
            campaign.refuse(found, f" ({again_view.since_words(since)})")
        again_view.tell_changed(self.out, since)
        if not self.new and not agreed(f"Begin another run beside it, {another}?", self.out):
            raise click.exceptions.Exit(ExitCode.STOPPED)

    def agrees(self, undecided: UndecidedError) -> None:
        """Ask."""
        if not has_terminal():
            raise UsageError(f"nothing was sent: {undecided}: {_UNASKED[undecided.question]}") from None
        if not agreed(f"{undecided}. {_ASKED[undecided.question]}", self.out):
            raise click.exceptions.Exit(ExitCode.STOPPED)


def opener_of(
    out: Console,
    input_name: str,
    run: Place,
    results: Path | None,
    read: tuple[Path, ...],
    planned: PlanSettings,
    *,
    repeat: bool,
    new: bool,
) -> Opener:
    """What opens the run that is meant, and asks here."""
    is_list_said = bool(planned.exclude) or not names_run(place_of(input_name))
    tell = excluded_teller(out, is_list_said=is_list_said)
    return Opener(run, results, read, repeat=repeat, new=new, deciding=Asking(out, new=new), tell=tell)


def check_organization(place: Place, to: TargetSettings) -> None:
    """See that it is known whose account a kept plan goes to: an estimate need not know that."""
    org_id, base_url = to.address
    with open_run(place) as run:
        planned = run.facts.address
    if not (org_id or planned.org_id):
        to.check(Address(0, planned.base_url if base_url is None else base_url))
