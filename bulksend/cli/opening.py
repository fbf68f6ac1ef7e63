"""Which run ``send`` is about: one that has begun and goes on, a plan of its own, or another run beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Begun, Changed, Limited, PlanRequest, Unbegun
from bulksend.cli import again_view, plan_view
from bulksend.cli.codes import ExitCode
from bulksend.cli.earlier import check_not_sent
from bulksend.cli.excluded_view import excluded_teller
from bulksend.cli.given import TargetSettings
from bulksend.cli.sending import agreed, has_terminal
from bulksend.planning import Exclusions
from bulksend.reports import check_output, check_own
from bulksend.runs import Address, OwnRun, Paths, Terms, open_run


@dataclass(frozen=True, slots=True)
class Asking:
    """Which questions are answered already.

    Attributes:
        repeat: whether what was sent already is sent again.
        new: whether another run begins beside one that has begun.
    """

    repeat: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The run that is sent.

    Attributes:
        run: it.
        results: where its results go.
        repeat: whether what was sent already is sent again.
        is_another: whether it was planned beside one that has begun, so that nothing is lost without it.
        is_new: whether its plan was not shown before, though some of it may have been sent.
    """

    run: OwnRun
    results: Path
    repeat: bool
    is_another: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens the run that is meant.

    Attributes:
        out: where it talks.
        run: the run's place, by default or as it is said.
        results: where the results are said to go; None where nothing is said.
        read: the files that no results may replace.
        rates: the file of rates that is given; None if none is.
        asking: which questions are answered already.
    """

    out: Console
    run: Path
    results: Path | None
    read: tuple[Path, ...]
    rates: Path | None
    asking: Asking

    def as_planned(self, terms: Terms, lists: Exclusions) -> Opened:
        """A run that is named itself."""
        tell = excluded_teller(self.out, is_list_said=bool(lists.digest))
        run = campaign.own_as_planned(self.run, terms, lists, tell)
        try:
            paths, repeat = self._paths(self.run), self.asking.repeat
            if not run.has_begun and run.facts.base_url:
                repeat = check_not_sent(paths, self.out, repeat=repeat)
        except BaseException:
            run.close()
            raise
        plan_view.tell_of_rates(self.out, run.place, self.rates)
        return Opened(run, paths.results, repeat)

    def of_input(self, request: PlanRequest) -> Opened:
        """The run that an input means."""
        found = campaign.meant(request, self.run, excluded_teller(self.out, is_list_said=True))
        match found:
            case Unbegun():
                return self._planned(found)
            case Begun():
                return self._gone_on_with(found)
            case Limited():
                return self._replanned(found)
            case Changed():
                return self._another(found)

    def _planned(self, found: Unbegun) -> Opened:
        try:
            paths, repeat = self._paths(found.place), self.asking.repeat
            if found.request.address.base_url:
                repeat = check_not_sent(paths, self.out, repeat=repeat)
        except BaseException:
            found.discard()
            raise
        return Opened(found.planned(), paths.results, repeat)

    def _gone_on_with(self, found: Begun) -> Opened:
        run, another = found.run, found.another
        try:
            if not self.asking.new:
                campaign.check_not_purged(run)
            if found.is_finished and not (self.asking.repeat and run.tally().left_out):
                again_view.tell_finished(self.out, found)
                if self._is_for_another(another.place):
                    paths = self._paths(another.place)
                    run.close()
                    return Opened(another.planned(), paths.results, self.asking.repeat, is_another=True)
            else:
                again_view.tell_going_on(self.out, found)
            plan_view.tell_of_rates(self.out, run.place, self.rates)
            paths = self._paths(Path(run.place))
        except BaseException:
            another.discard()
            run.close()
            raise
        another.discard()
        return Opened(run, paths.results, self.asking.repeat)

    def _replanned(self, found: Limited) -> Opened:
        try:
            again_view.tell_changed(self.out, found.since)
            again_view.tell_replanned(self.out, found.since)
            paths = self._paths(Path(found.run.place))
        except BaseException:
            found.draft.discard()
            found.run.close()
            raise
        return Opened(found.replanned(), paths.results, self.asking.repeat, is_new=True)

    def _another(self, found: Changed) -> Opened:
        draft, since = found.draft, found.since
        try:
            if not self.asking.new and not has_terminal():
                with open_run(Path(since.run)) as run:
                    campaign.check_not_purged(run)
                raise campaign.is_changed(found, f" ({again_view.since_words(since)})")
            again_view.tell_changed(self.out, since)
            if not self.asking.new and not agreed(f"Begin another run beside it, {draft.place}?", self.out):
                raise click.exceptions.Exit(ExitCode.STOPPED)
            paths = self._paths(draft.place)
        except BaseException:
            draft.discard()
            raise
        return Opened(draft.keep(), paths.results, self.asking.repeat, is_another=True)

    def _is_for_another(self, another: Path) -> bool:
        if self.asking.new:
            return True
        if has_terminal():
            return click.confirm(f"Begin another run beside it, {another}?", err=True)
        self.out.print(f"--new begins another run beside it, {another}.", soft_wrap=True)
        return False

    def _paths(self, run: Path) -> Paths:
        """The run's files, of which the results can be written."""
        paths = Paths.beside(str(run), run, self.results)
        check_output(paths.results, paths.run, *self.read)
        check_own(paths.results, paths.run)
        return paths


def check_organization(place: Path, to: TargetSettings) -> None:
    """See that it is known whose account a kept plan goes to: an estimate need not know that."""
    org_id, base_url = to.address
    with open_run(place) as run:
        planned = run.facts.address
    if not (org_id or planned.org_id):
        to.check(Address(0, planned.base_url if base_url is None else base_url))
