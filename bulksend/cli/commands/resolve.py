"""``bulksend resolve``: what became of rows that may or may not have been accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import click

from bulksend import campaign
from bulksend.campaign import LookedUp
from bulksend.cli import codes, options, run_view, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console, tell_error
from bulksend.cli.excluded_view import excluded_teller, not_again_words
from bulksend.cli.given import PaceSettings, TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.looked_view import WHY_NOT
from bulksend.cli.monitors import MONITORS, Monitors, MonitorSettings
from bulksend.cli.options import QUIET, TELLS_ALL
from bulksend.cli.sending import (
    Manners,
    agreed,
    check_at_home,
    check_can_ask,
    check_is_local,
    has_terminal,
    is_written,
    run_loop,
    send_and_tell,
    target_of_run,
)
from bulksend.cli.settings import Command, option
from bulksend.cli.values import PLACE
from bulksend.cli.watch import Watch
from bulksend.cli.which_run import run_meant
from bulksend.engagespark import Looked, Target
from bulksend.errors import UsageError
from bulksend.model import RowInDoubt
from bulksend.reports import check_output, check_own, inputs_of
from bulksend.runs import Account, OwnRun, Paths, Place, Terms, files_of, open_run
from bulksend.words import many


class ResolveSettings(NamedTuple):
    """What is said of rows in doubt."""

    resend: bool
    leave: bool
    unseen: bool
    results: Path | None
    wait: bool
    force: bool
    yes: bool
    no_progress: bool
    quiet: bool
    verbose: bool


RESOLVE = Group(
    "said",
    ResolveSettings,
    (
        option(
            "--resend", is_flag=True, help="Send those that are not found again: some may arrive twice. Asks first."
        ),
        option("--leave", is_flag=True, help="Leave those that are not found unknown, for good."),
        option("--unseen", is_flag=True, help="Resend even if the API has a list and it could not be read."),
        option(
            "--results", metavar="FILE", type=click.Path(path_type=Path), help="The results, .csv, .jsonl or .xlsx."
        ),
        option("--wait", is_flag=True, help="If another run of the account is sending, wait until it has ended."),
        option(
            "--force",
            is_flag=True,
            help="Send a run also from a network file system, or where its account does not live.",
        ),
        option("--yes", "-y", is_flag=True, help="Resend without asking."),
        option("--no-progress", is_flag=True, help="Show no progress."),
        QUIET,
        TELLS_ALL,
    ),
)


@click.command(
    cls=Command,
    examples=("bulksend resolve campaign.csv", "bulksend resolve campaign.csv --resend"),
    exits={
        ExitCode.OK: "no row is in doubt any more, or they are left so for good",
        ExitCode.NOT_ALL_SENT: "some rows are still in doubt",
        ExitCode.USAGE: "usage: nothing was sent",
        ExitCode.STOPPED: "they could not be looked up, or stopped early",
        ExitCode.OWNED: "another process owns the run, or sends for the account",
        ExitCode.INTERRUPTED: "interrupted; the same command goes on",
        ExitCode.TERMINATED: "terminated; the same command goes on",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@with_options(options.TARGET, options.PACE, RESOLVE, MONITORS)
def command(
    place: Place, to: TargetSettings, paced: PaceSettings, said: ResolveSettings, watched: MonitorSettings
) -> ExitCode:  # fmt: skip
    """Say what became of the rows that may or may not have been accepted.

    They are looked up in the API's list of messages, where the server has one. What is not found stays unknown, unless
    --resend or --leave decides on it.
    """
    if said.resend and said.leave:
        raise UsageError("--resend and --leave cannot both be: leave one out")
    out = console(quiet=said.quiet, verbose=said.verbose)
    place = run_meant(place, out)
    paths = Paths.beside(str(place), place, said.results)
    check_is_local(paths.run, force=said.force)
    with open_run(paths.run) as run:
        check_output(paths.results, *files_of(paths.run), *inputs_of(run))
    check_own(paths.results, paths.run)
    org_id, base_url = to.address
    monitors = watched.opened(out, *files_of(paths.run), paths.results, *to.files)
    manners = Manners(
        out,
        paths.results,
        wait=said.wait,
        hides_progress=said.no_progress or said.quiet,
        monitors=monitors,
    )
    tell = excluded_teller(out, is_list_said=False, tells_doubts=not said.resend)
    terms = Terms(org_id=org_id, base_url=base_url)
    with monitors.telling(str(paths.run)), campaign.own_as_planned(paths.run, terms, tell=tell) as run:
        check_at_home(run, force=said.force)
        return _Resolver(run, to, paced, said, manners, monitors).resolve()


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Settles the rows in doubt of one run."""

    run: OwnRun
    to: TargetSettings
    paced: PaceSettings
    said: ResolveSettings
    manners: Manners
    monitors: Monitors

    def resolve(self) -> ExitCode:
        out, rows = self.manners.out, self.run.in_doubt()
        if not rows:
            out.print("No row is in doubt.")
            return ExitCode.OK
        run_view.show_in_doubt(out, rows)
        target = target_of_run(self.to, self.run)
        watch = Watch(out, hides_progress=True)
        with campaign.held_account(target, self.run, watch.hear, wait=self.manners.wait) as account:
            check_at_home(self.run, force=self.said.force)  # it may have moved while this waited
            looked = self._look_up(target, account)
            rows = self.run.in_doubt()
            if self.said.resend and rows:
                return self._resend(looked, account, target)
        if self.said.leave:
            campaign.decide(self.run, rows, resend=False)
            out.print(f"{many(len(rows), 'row stays', 'rows stay')} unknown for good.")
        elif rows:
            out.print(_left_in_doubt(len(rows)), soft_wrap=True)
        return self._end(looked)

    def _look_up(self, target: Target | None, account: Account | None) -> Looked:
        if target is None:
            return Looked.NO_SUCH  # a private sandbox is gone, and its list with it
        seen = run_loop(campaign.look_up(self.run, target, account))
        self.manners.out.print(_what_was_seen(seen), soft_wrap=True)
        return seen.looked

    def _resend(self, looked: Looked, account: Account | None, target: Target | None) -> ExitCode:
        rows = campaign.may_be_resent(self.run, looked, unseen=True)  # what was not looked up is asked below
        if left := len(self.run.in_doubt()) - len(rows):
            self.manners.out.print(not_again_words(left), soft_wrap=True)
        if not rows:
            self.manners.out.print("Nothing is sent again.")
            return self._end(looked)
        question = ""
        if not looked.is_answer and not self.said.unseen:
            if not has_terminal():
                raise UsageError(
                    f"nothing was sent: {_lower(WHY_NOT[looked])}, so that nobody knows which of the {len(rows):,} "
                    "messages were accepted: try again later, or say --unseen to send them all the same"
                )
            question = f"{WHY_NOT[looked]}. {_question(rows)}"
        elif not self.said.yes:
            check_can_ask(yes=False)
            question = _question(rows)
        if question and not agreed(question, self.manners.out):
            return self._end(looked)
        campaign.decide(self.run, rows, resend=True)
        how = replace(self.paced.options(), dedup=self.run.is_keyed)
        self.monitors.planned(self.run.place, self.run.plan())
        told = send_and_tell(self.run, account, target, how, self.manners)
        if told.ending.ended.stop is None and told.code is not ExitCode.STOPPED:
            told = told._replace(code=codes.of_resolve(told.ending.tally, could_look=True))
        self.monitors.ended(
            summary.of_send(self.run, told, self.manners.results),
            is_rehearsal=self.run.facts.address.is_rehearsal,
        )
        return told.code

    def _end(self, looked: Looked) -> ExitCode:
        written = is_written(self.run, self.manners)
        tally = self.run.tally()
        run_view.show_status(self.manners.out, self.run, tally, f"the results are in {self.manners.results}")
        if not written:
            return ExitCode.STOPPED
        code = ExitCode.OK if self.said.leave else codes.of_resolve(tally, could_look=looked.is_answer)
        if self.said.quiet and code is ExitCode.STOPPED:
            tell_error(self.manners.out, f"{self.run.place}: {WHY_NOT[looked]}.")
        return code


def _what_was_seen(seen: LookedUp) -> str:
    """What became of the rows: what was not looked at is never called not there."""
    found = f"{seen.found:,} of {seen.rows:,} are in the API's list: they were accepted."
    if seen.looked is Looked.THROUGH:
        says = found if seen.found else f"None of the {seen.rows:,} was found in the API's list."
    else:
        says = f"{WHY_NOT[seen.looked]}. {found if seen.found else 'Nothing is known of the rows.'}"
    if not seen.contested:
        return says
    return (
        f"{says} {seen.contested:,} look like a message there that somebody else may have caused: they stay in doubt."
    )


def _left_in_doubt(rows: int) -> str:
    """What can be done about rows that were not found."""
    if rows == 1:
        again, it = "sends it again, and it may then arrive twice", "it"
    else:
        again, it = "sends them again, some of which may then arrive twice", "them"
    return f"{many(rows, 'row')} left in doubt: --resend {again}; --leave leaves {it} unknown for good."


def _question(rows: list[RowInDoubt]) -> str:
    return f"Send {len(rows):,} messages again, some of which may then arrive twice?"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
