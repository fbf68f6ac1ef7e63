"""Which run is sent: one that has begun and goes on, a plan of its own, or another run beside it.

What only people can say, a face asks them, or a program has said before: see `Deciding`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

from bulksend.campaign.again import Begun, Changed, Limited, Since, Unbegun, is_changed, meant
from bulksend.campaign.drafts import PlanRequest
from bulksend.campaign.events import Tell
from bulksend.campaign.lookback import LookedBack, give_up_lost
from bulksend.campaign.plans import check_not_purged, own_as_planned
from bulksend.errors import Question, UndecidedError
from bulksend.planning import Exclusions
from bulksend.reports import check_output, check_own, told_by
from bulksend.runs import (
    OwnRun,
    Paths,
    Place,
    Run,
    Terms,
    files_of,
    home_of,
    is_filed,
    network_kind,
    open_run,
    place_of,
)
from bulksend.words import many, printable


class Deciding(Protocol):
    """Whoever wants a run sent: hears which one is meant, and answers what only people can."""

    def goes_on(self, found: Begun) -> None:
        """Hear that a run goes on."""

    def is_for_another(self, found: Begun) -> bool:
        """Whether another run is to begin beside one that is finished."""

    def replans(self, since: Since) -> None:
        """Hear that the rest of a run is planned anew, of which only commands with a limit have sent."""

    def begins_another(self, found: Changed) -> None:
        """Agree that another run begins beside one that has begun otherwise; raise if not, see `refuse`."""

    def agrees(self, undecided: UndecidedError) -> None:
        """Agree to go on all the same; raise if not."""


class Opened(NamedTuple):
    """The run that is sent.

    Attributes:
        run: it, owned.
        results: where its results go.
        repeat: whether what was sent already is sent again.
        is_another: whether it was planned beside one that has begun, so that nothing is lost without it.
        is_new: whether its plan was not shown before, though some of it may have been sent.
        is_kept: whether it was planned before, so that nothing that changes its prices matters any more.
    """

    run: OwnRun
    results: Path
    repeat: bool
    is_another: bool = False
    is_new: bool = False
    is_kept: bool = False


class Opener(NamedTuple):
    """Opens the run that is meant.

    Attributes:
        run: the run's place, by default or as it is said.
        results: where the results are said to go; None where nothing is said.
        read: the files that no results may replace.
        repeat: whether it is said that what was sent already is sent again.
        new: whether it is said that another run begins beside one that has begun.
        deciding: who answers what is not said.
        tell: hears who is left out since the run was planned.
    """

    run: Place
    results: Path | None
    read: tuple[Path, ...]
    repeat: bool
    new: bool
    deciding: Deciding
    tell: Tell

    def as_planned(self, terms: Terms, lists: Exclusions) -> Opened:
        """A run that is named itself; see `own_as_planned` for what is raised."""
        run = own_as_planned(self.run, terms, lists, self.tell)
        try:
            paths, repeat = self.paths(self.run), self.repeat
            if not run.has_begun and run.facts.base_url:
                repeat = self._is_repeated(paths)
        except BaseException:
            run.close()
            raise
        return Opened(run, paths.results, repeat, is_kept=True)

    def of_input(self, request: PlanRequest) -> Opened:
        """The run that an input means; see `meant` for what is raised."""
        found = meant(request, self.run, self.tell)
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
            paths, repeat = self.paths(found.place), self.repeat
            if found.request.address.base_url:
                repeat = self._is_repeated(paths)
        except BaseException:
            found.discard()
            raise
        return Opened(found.planned(), paths.results, repeat)

    def _gone_on_with(self, found: Begun) -> Opened:
        run, another = found.run, found.another
        try:
            if not self.new:
                check_not_purged(run)
            if found.is_finished and not (self.repeat and run.tally().left_out):
                if self.deciding.is_for_another(found):
                    paths = self.paths(another.place)
                    run.close()
                    return Opened(another.planned(), paths.results, self.repeat, is_another=True)
            else:
                self.deciding.goes_on(found)
            paths = self.paths(place_of(run.place))
        except BaseException:
            another.discard()
            run.close()
            raise
        another.discard()
        return Opened(run, paths.results, self.repeat, is_kept=True)

    def _replanned(self, found: Limited) -> Opened:
        try:
            self.deciding.replans(found.since)
            paths = self.paths(place_of(found.run.place))
        except BaseException:
            found.draft.discard()
            found.run.close()
            raise
        return Opened(found.replanned(), paths.results, self.repeat, is_new=True)

    def _another(self, found: Changed) -> Opened:
        draft = found.draft
        try:
            self.deciding.begins_another(found)
            paths = self.paths(draft.place)
        except BaseException:
            draft.discard()
            raise
        return Opened(draft.keep(), paths.results, self.repeat, is_another=True)

    def _is_repeated(self, paths: Paths) -> bool:
        """See that no run whose file is gone has sent what is about to be sent anew; whether this is meant."""
        if self.repeat:
            return True
        sent, in_doubt = told_by(paths.results)
        if not sent and not in_doubt:
            return False
        doubted = f" and perhaps to {in_doubt:,} more" if in_doubt else ""
        says = f"{paths.results}: a run whose file is gone has sent to {many(sent, 'row')}{doubted}"
        self.deciding.agrees(UndecidedError(says, Question.SENT_BEFORE))
        return True

    def paths(self, run: Place) -> Paths:
        """The run's files, of which the results can be written."""
        paths = Paths.beside(str(run), run, self.results)
        check_output(paths.results, *files_of(paths.run), *self.read)
        check_own(paths.results, paths.run)
        return paths


def refuse(found: Changed, says: str = "") -> NoReturn:
    """Have no other run begun beside one that has begun otherwise; more can be said of it.

    Raises:
        UndecidedError: always, unless the run is purged, which is told then as a UsageError.
    """
    with open_run(place_of(found.since.run)) as run:
        check_not_purged(run)
    raise is_changed(found, says)


def check_not_lost(run: OwnRun, looked: LookedBack, deciding: Deciding, *, repeat: bool) -> None:
    """See that no command was cut off of which nobody knows what it sent, or that this is meant."""
    if not looked.lost:
        return
    if not repeat:
        names = ", ".join(dict.fromkeys(printable(command.run) for command in looked.lost))
        says = f"{names}: this run of the account was cut off and its run file is gone: nobody knows what it sent"
        deciding.agrees(UndecidedError(says, Question.LOST))
    give_up_lost(run, looked)


def check_at_home(run: Run) -> None:
    """See that a run lies where its account lives, as far as this machine knows.

    Raises:
        UndecidedError: it is a file, and the account has sent through a database; or it is in a database, and the
            account has files here that were brought into none.
    """
    to = run.facts.address
    if to.is_rehearsal:
        return
    home = home_of(to)
    if not files_of(place_of(run.place)):
        if home is None and is_filed(to):
            raise UndecidedError(
                f"{run.place}: this machine's files know who opted out of the account (organization {to.org_id}), or "
                "what it has sent, and the database does not",
                Question.FILES,
            )
    elif home is not None:
        raise UndecidedError(
            f"{run.place}: this machine has sent for the account (organization {to.org_id}) through the database "
            f"{home}, where its caps, history and opt-outs are kept, of which a run file knows nothing",
            Question.HOME,
        )


def check_is_local(place: Place) -> None:
    """See that a run's file, if it has one, lies where its lock holds against everybody.

    Raises:
        UndecidedError: it lies on a network file system.
    """
    for file in files_of(place):
        if kind := network_kind(file):
            raise UndecidedError(
                f"{file}: this lies on a network file system ({kind}), where locks may not hold", Question.NETWORK
            )
