"""The same command again: which run of an input it means, and what is otherwise since that began.

It means the newest run that was planned with the same terms and the same rows: to go on with it, or to be told that it
is finished. Where no run was, something was changed since the newest began, and it is for people to say whether another
run is to begin beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from bulksend.campaign.drafts import Draft, PlanRequest
from bulksend.campaign.events import Tell, unheard
from bulksend.campaign.excluding import exclude
from bulksend.errors import Advice, Question, UndecidedError
from bulksend.model import Status
from bulksend.planning import STDIN, Source
from bulksend.runs import Edits, Known, OwnRun, Place, Span, Term, check_folder, in_words, next_place, own_run, series


class Unbegun(NamedTuple):
    """Nothing has begun there: the campaign is planned, whatever plan lies there.

    Attributes:
        request: the campaign.
        place: where its run will be.
        draft: its plan, if it had to be made to know that.
    """

    request: PlanRequest
    place: Place
    draft: Draft | None = None

    def planned(self) -> OwnRun:
        """The campaign as a run; see `Draft`."""
        return (self.draft or Draft(self.request, self.place)).keep()

    def discard(self) -> None:
        """Leave it at that."""
        if self.draft:
            self.draft.discard()


class Begun(NamedTuple):
    """A run of the same terms and rows has begun.

    Attributes:
        run: it, owned.
        another: another one, as it would be begun beside it.
        is_finished: whether nothing of it is left to send, nor in doubt.
        moved: so many of its rows stand elsewhere in the input by now.
    """

    run: OwnRun
    another: Unbegun
    is_finished: bool
    moved: int = 0


class Since(NamedTuple):
    """What is otherwise since a run began.

    Attributes:
        run: its place.
        span: when it was sent; None if none of its rows was tried.
        changed: the terms that are said otherwise now.
        edits: what became of its messages; None if it was purged, so that nobody knows.
        sent: how many of them it has sent.
        was_rehearsal: whether it reached no phone, and this is to be the real one.
    """

    run: str
    span: Span | None
    changed: tuple[Term, ...]
    edits: Edits | None
    sent: int
    was_rehearsal: bool


class Changed(NamedTuple):
    """No run has begun with these terms and rows: they are for another one.

    Attributes:
        since: what is otherwise since the newest began.
        draft: the plan of another, beside it.
    """

    since: Since
    draft: Draft


class Limited(NamedTuple):
    """A run has begun with other terms or rows, but only commands with a limit have sent some messages of it.

    Attributes:
        since: what is otherwise since it began.
        run: it, owned.
        draft: the plan that is for its place.
    """

    since: Since
    run: OwnRun
    draft: Draft

    def replanned(self) -> OwnRun:
        """The run with that plan; what it has sent stays sent. See `Draft.replace`."""
        return self.draft.replace(self.run)


Meant = Unbegun | Begun | Limited | Changed
_BOUND = {"org_id", "base_url", "endpoint", "campaign"}
"""The terms under which a message in doubt is known again: with others it is another run, also then."""


def meant(request: PlanRequest, place: Place, tell: Tell = unheard) -> Meant:
    """Which run a campaign is, of those that were begun in a place and beside it.

    A plan of which nothing can have been accepted yet is not gone on with: planning anew cannot send anything twice,
    and sees what was corrected in the input and the options meanwhile. Of a run that goes on, whoever opted out since
    or is on lists that were not given before is left out.

    Args:
        request: the campaign.
        place: of its run.
        tell: hears who is left out.

    Raises:
        UsageError: the input or the options cannot be used, or the place is no run's.
        OwnedError: another process is at work on the run.
        RunFileError: a run cannot be read or written.
    """
    check_folder(place)
    return _Search(request, place, series(place, request.input_name), tell).meant()


def reopen(request: PlanRequest, place: Place, tell: Tell = unheard) -> OwnRun | None:
    """Go on with the very run of a place if it has begun and is this campaign; None if it has not begun.

    Of which only commands with a limit have sent is planned anew in its place, see `Limited`.

    Raises:
        UndecidedError: the run has begun with another input or other options.
        OwnedError: another process is at work on it.
        RunFileError: it cannot be read or written.
    """
    check_folder(place)
    alone = [known for known in series(place, request.input_name) if known.place == place]
    match found := _Search(request, place, alone, tell).meant():
        case Begun():
            found.another.discard()
            return found.run
        case Unbegun():
            return None
        case Limited():
            return found.replanned()
        case Changed():
            found.draft.discard()
            raise is_changed(found)


def is_changed(found: Changed, says: str = "") -> UndecidedError:
    """That a run has begun with something else; more can be said of it."""
    since, another = found.since, found.draft.place
    begun = f"{since.run}: this run has begun with {in_words(since.changed)}{says}"
    advice = Advice.LEAVE_REHEARSAL if since.was_rehearsal else Advice.BEGIN_ANOTHER
    return UndecidedError(begun, Question.ANOTHER_RUN, advice, run=since.run, another=another)


class _Search(NamedTuple):
    """Looks for a campaign among the runs of its input, of which the newest stands first."""

    request: PlanRequest
    place: Place
    runs: Sequence[Known]
    tell: Tell

    def meant(self) -> Meant:
        begun = [known for known in self.runs if known.has_begun]
        if not begun:
            return self._unbegun()
        if can_be_read_again(self.request):
            digest = digest_of(self.request)
            for known in begun:
                if not changed_since(known, self.request, digest):
                    return self._going_on(own_run(known.place, time.time()))
        newest = next((known for known in begun if known.facts.address == self.request.address), begun[0])
        run = own_run(newest.place, time.time())
        try:
            return self._compared(begun, newest, run)
        except BaseException:
            run.close()
            raise

    def _unbegun(self) -> Unbegun:
        if not self.runs:
            return Unbegun(self.request, self.place)
        place = self.runs[0].place
        own_run(place, time.time()).close()  # is nobody about to send it?
        return Unbegun(self.request, place)

    def _compared(self, begun: Sequence[Known], newest: Known, run: OwnRun) -> Meant:
        """Plan the campaign, and compare it with the runs row by row; `run` is the newest."""
        is_planned = not self.runs[0].has_begun  # beside what has begun, and nobody sent it yet
        is_limited = not is_planned and self._is_limited(newest, run)
        draft = Draft(self.request, newest.place if is_limited else self._another.place)
        try:
            for known in begun:
                changed = changed_since(known, self.request, draft.digest)
                if not known.is_purged and all(term.name == "input_digest" for term in changed):
                    edits = draft.edits_since(known.place) if changed else Edits()
                    if edits.is_none:
                        return self._same(known, run if known is newest else self._instead_of(run, known), draft, edits)
            if is_planned:
                run.close()
                return Unbegun(self.request, draft.place, draft)
            since = Since(
                run.place,
                run.span,
                tuple(changed_since(newest, self.request, draft.digest)),
                None if newest.is_purged else draft.edits_since(newest.place),
                run.tally().statuses[Status.SENT],
                newest.facts.address.is_rehearsal and not self.request.address.is_rehearsal,
            )
        except BaseException:
            draft.discard()
            raise
        if is_limited:
            return Limited(since, run, draft)
        run.close()
        return Changed(since, draft)

    def _is_limited(self, known: Known, run: OwnRun) -> bool:
        """Whether a run is still to be sent but for some messages, which can be known again under the terms of now."""
        changed = {term.name for term in changed_since(known, self.request, known.facts.input_digest)}
        lists = run.excluded_by.partition(" ")[0] or known.facts.exclusion  # which leave out for good
        is_bound = known.facts.keys_by_row or lists != self.request.options.exclusions.digest
        return run.is_limited and not is_bound and changed.isdisjoint(_BOUND) and not _is_finished(run)

    def _instead_of(self, run: OwnRun, known: Known) -> OwnRun:
        run.close()
        return own_run(known.place, time.time())

    def _same(self, known: Known, run: OwnRun, draft: Draft, edits: Edits) -> Begun:
        """The input was only saved in another way: what is known of that is noted, so that it is known at once."""
        try:
            if known.facts.input_digest != draft.digest:
                run.note_input(draft.digest)
            found = self._begun(run, edits.moved)
        except BaseException:
            run.close()
            raise
        if found.is_finished and not can_be_read_again(self.request):
            return found._replace(another=Unbegun(self.request, draft.place, draft))
        draft.discard()
        return found

    def _going_on(self, run: OwnRun) -> Begun:
        try:
            return self._begun(run)
        except BaseException:
            run.close()
            raise

    def _begun(self, run: OwnRun, moved: int = 0) -> Begun:
        if run.purge is None:
            self.tell(exclude(run, self.request.options.exclusions))
        return Begun(run, self._another, _is_finished(run), moved)

    @property
    def _another(self) -> Unbegun:
        """Another run: the plan that lies beside already and has not begun, or the next one."""
        newest = self.runs[0]
        return Unbegun(self.request, next_place(self.place, self.runs) if newest.has_begun else newest.place)


def can_be_read_again(request: PlanRequest) -> bool:
    """Whether a campaign's input can be read more than once."""
    return request.input_name != STDIN and Path(request.input_name).is_file()


def digest_of(request: PlanRequest) -> str:
    """The bytes of a campaign's input, in short."""
    with closing(Source(request.input_name, request.options.reading)) as source:
        return source.digest()


def changed_since(known: Known, request: PlanRequest, digest: str) -> list[Term]:
    """What is said otherwise than when a run began; who is left out always can be, see `exclude`."""
    said = known.facts.differences(request.terms(digest), unsaid_is_default=True)
    return [term for term in said if term.name != "exclusion"]


def _is_finished(run: OwnRun) -> bool:
    return not run.unsent(0, 1) and not run.in_doubt(1)
