"""A campaign is sent, or a run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bulksend import campaign
from bulksend.campaign import CampaignEvent, Ended, Ending, LeftOut, Opened, Opener
from bulksend.engagespark import Target
from bulksend.errors import OwnedError, UsageError
from bulksend.planning import Exclusions, Tally
from bulksend.python.accounts import Account
from bulksend.python.campaigns import Campaign, PlaceLike, place_from
from bulksend.python.choices import Said, SendOptions, check_at_home, check_local
from bulksend.python.estimates import Planned
from bulksend.python.working import Work, work_on
from bulksend.reports import inputs_at, renew_results, write_results
from bulksend.runs import Account as HeldAccount
from bulksend.runs import DatabaseRun, OwnRun, Paths, Place, Run, Terms, names_run, open_run, place_of
from bulksend.sending import Stop

_DEFAULTS = SendOptions()


@dataclass(frozen=True, slots=True)
class Sent:
    """How a send ended.

    Attributes:
        run: the place of the run.
        results: where its results are; None if they could not be written there at the end.
        ending: how it ended: what was sent, what was not and why, what the rest costs, and what to do next.
        is_complete: whether every row is sent, or was left out on purpose; what history alone left out was not, unless
            something was said of that.
    """

    run: Place
    results: Path | None
    ending: Ending
    is_complete: bool

    @property
    def ended(self) -> Ended:
        """The same as the last event."""
        return self.ending.ended

    @property
    def stop(self) -> Stop | None:
        """Why it ended early; None if all was done that could be. The same call goes on with it."""
        return self.ended.stop

    @property
    def tally(self) -> Tally:
        """The run's rows as they are now."""
        return self.ended.tally


async def send(
    what: Campaign | Planned | PlaceLike,
    account: Account,
    options: SendOptions = _DEFAULTS,
    on_event: Callable[[CampaignEvent], None] | None = None,
) -> Sent:
    """Send a campaign, or what is left of a run, and write its results. This spends money, and nothing else does.

    The same call again goes on where it stopped; what was sent is never sent twice. Where others send the run, in a
    database, it joins them: as they began it, for of the options the pace alone counts then.

    Cancelling its task ends it as Ctrl-C ends a command: answers under way are waited for, `SendOptions.grace_s` at
    most (a second cancellation waits for none), the results are written and the run is let go of; then CancelledError
    is raised.

    Args:
        what: a campaign, which is planned if no run of it has begun; a plan, or the place of a run, sent as it is.
        account: whose it is.
        options: how.
        on_event: hears how it goes, in the caller's event loop, and must come back at once; what it raises ends the
            send in order, and is raised then.

    Raises:
        UndecidedError: somebody has to decide something first; the sentence names the argument by which yes is said.
        InputError: the input cannot be read as a whole.
        UsageError: something else cannot be used. Of all three nothing was sent.
        AccountBusyError: another run of the account is sending, and is not waited for.
        OwnedError: another process or task is at work on the run.
        StoppedError: somebody elsewhere asked for the end before anything was sent.
        RunFileError: the run cannot be read or written.
    """
    return await work_on(lambda work: _Sending(work, account, options).send(what), on_event)


@dataclass(frozen=True, slots=True)
class _Sending:
    work: Work[CampaignEvent]
    account: Account
    options: SendOptions

    def send(self, what: Campaign | Planned | PlaceLike) -> Sent:
        how = self.options.settled()
        try:
            opened = self._of_campaign(what) if isinstance(what, Campaign) else self._of_run(what)
        except OwnedError:
            place = self._sent_by_others(what)
            if place is None:
                raise
            return self._joined(place, how, what.files if isinstance(what, Campaign) else [])
        if opened.repeat:
            how = replace(how, repeating=replace(how.repeating, repeat=True))
        with opened.run as run:
            try:
                check_at_home(run, force=self.options.force)
                return self._send(opened, how)
            except BaseException:
                if opened.is_another and not run.has_begun:  # or the next call would take it for agreed
                    run.remove()
                raise

    def _of_campaign(self, wanted: Campaign) -> Opened:
        place = self._place(wanted)
        if names_run(place_from(wanted.name)):
            raise UsageError(f"{wanted.name}: this is a run: it is sent as it is, not as a campaign")
        check_local(place, force=self.options.force)
        request = wanted.request(self.account.address, self.work.check)
        return self._opener(place, wanted.files).of_input(request)

    def _of_run(self, what: Planned | PlaceLike) -> Opened:
        place = what.place if isinstance(what, Planned) else place_from(what)
        if isinstance(place, Path) and place.is_file() and not names_run(place):
            raise UsageError(f"{place}: this is no run file: an input is sent as a Campaign")
        check_local(place, force=self.options.force)
        return self._opener(place, []).as_planned(self._terms, Exclusions())

    def _place(self, wanted: Campaign) -> Place:
        run = None if self.options.run is None else place_from(self.options.run)
        return Paths.beside(wanted.name, run, rehearses=self.account.is_rehearsal).run

    @property
    def _terms(self) -> Terms:
        to = self.account.address
        return Terms(org_id=to.org_id, base_url=to.base_url)

    def _opener(self, run: Place, files: list[Path]) -> Opener:
        options = self.options
        return Opener(
            run,
            None if options.results is None else Path(options.results),
            (*files, *inputs_at(run)),
            repeat=options.repeat,
            new=options.new,
            deciding=Said(new=options.new),
            tell=self.work.tell,
        )

    def _sent_by_others(self, what: Campaign | Planned | PlaceLike) -> DatabaseRun | None:
        """The run that is meant, if it is somebody else's and workers send it."""
        if isinstance(what, Campaign):
            return campaign.sent_by_others(what.request(self.account.address, self.work.check), self._place(what))
        place = what.place if isinstance(what, Planned) else place_from(what)
        return campaign.as_planned_by_others(place, self._terms)

    def _joined(self, place: DatabaseRun, how: campaign.SendOptions, files: list[Path]) -> Sent:
        """Send what is left of a run beside those who are at work on it."""
        work, results = self.work, self._opener(place, files).paths(place).results
        with open_run(place) as run:
            target = self.account.target(run.facts.endpoint)
        if target is None:
            raise AssertionError
        ended = work.send(lambda stopping: campaign.join(place, target, how, stopping, work.tell))
        with open_run(place) as run:
            return self._told(run, ended, _written(lambda: write_results(run, results), results))

    def _send(self, opened: Opened, how: campaign.SendOptions) -> Sent:
        run, work = opened.run, self.work
        work.check()
        looked = campaign.look_at_history(run, how.repeating)
        if looked.leaves_out:
            work.tell(LeftOut(looked, how.repeating))
        campaign.check_not_lost(run, looked, Said(new=self.options.new), repeat=opened.repeat)
        tally = run.tally()
        if not tally.in_doubt and not run.overview(how.limit).rows:
            work.tell(ended := Ended(None, tally))
            return self._sent(opened, ended)
        target = self.account.target(run.facts.endpoint)
        with campaign.held_account(target, run, work.tell_unless_stopped, wait=self.options.wait) as account:
            work.check()
            check_at_home(run, force=self.options.force)  # it may have moved while this waited
            ended = self._held(run, account, target, how)
            return self._sent(opened, ended)

    def _held(
        self, run: OwnRun, account: HeldAccount | None, target: Target | None, how: campaign.SendOptions
    ) -> Ended:
        work = self.work
        return work.send(lambda stopping: campaign.send(run, account, target, how, stopping, work.tell))

    def _sent(self, opened: Opened, ended: Ended) -> Sent:
        return self._told(opened.run, ended, write(opened.run, opened.results))

    def _told(self, run: Run, ended: Ended, results: Path | None) -> Sent:
        is_complete = ended.is_complete(leaves_out=self.options.leaves_out)
        return Sent(place_of(run.place), results, campaign.ending_of(run, ended), is_complete)


def write(run: OwnRun, results: Path) -> Path | None:
    """Write a run's results; where they are, or None if they could not be written there any more."""
    return _written(lambda: renew_results(run, results), results)


def _written(write: Callable[[], object], results: Path) -> Path | None:
    try:
        write()
    except UsageError:
        return None
    return results
