"""A trial: the real text of one row goes to one's own phone, before the campaign does. It is no part of its run.

It is sent as any message is, from a run of its own that is gone afterwards: so the cap, the budget and what may be in
doubt are looked after. History does not keep it, so that a campaign sends the same text to that phone all the same.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bulksend.campaign.excluding import opted_out
from bulksend.errors import UsageError
from bulksend.model import MicroUSD, PhoneNumber, Status
from bulksend.planning import Countries, Findings, LeavingOut, Lines, PlannedColumns, PlanOptions
from bulksend.runs import Address, Facts, OwnRun, RowTold, Run, Terms, finish_plan, new_plan
from bulksend.sms import phones

_NO_LINES = Lines()


@dataclass(frozen=True, slots=True)
class Trial:
    """What goes to one's own phone.

    Attributes:
        phone: that.
        row: the row whose text it is.
        sender: the sender id, or None.
        text: as it will leave.
        encoding: how it travels.
        parts: SMS parts.
        price: micro-USD, or None where no rate is known.
        of: what the run was made of that the row is in.
        where: the place of that, where its account lives.
    """

    phone: PhoneNumber
    row: int
    sender: str | None
    text: str
    encoding: str | None
    parts: int
    price: MicroUSD | None
    of: Facts
    where: str

    def columns(self) -> PlannedColumns:
        """See `PlannedRows.columns`."""
        pending, size = Status.PENDING.value, (self.encoding, self.parts, self.price)
        return PlannedColumns.of([(1, pending, self.phone, self.sender, self.text, *size, "", b"[]")])

    def counts(self) -> Counter[Status]:
        """See `PlannedRows.counts`."""
        return Counter({Status.PENDING: 1})


def trial_of(run: Run, row: int | None, phone: PhoneNumber, wanted: PlanOptions) -> Trial:
    """The text of a row, or of the first that can be sent, for a phone.

    Args:
        run: the run that the row is in.
        row: its number; None for the first that can be sent.
        phone: one's own.
        wanted: what a part costs, and who is left out.

    Raises:
        UsageError: there is no such row, it has no text, or nothing may be sent to the phone.
    """
    # Whoever may not be sent to gets no trial either.
    left_out = LeavingOut(wanted.exclusions, None, Countries(wanted.countries))
    for says in left_out.among([phone], [phones.dialing_code(phone)]).values():
        raise UsageError(f"{phone}: {says}")
    found = _row_of(run, row)
    if not found.text:
        raise UsageError(f"row {found.row} has no text to send: {found.error or found.state}")
    price = wanted.rates.price(phone, found.parts)
    return Trial(phone, found.row, found.sender, found.text, found.encoding, found.parts, price, run.facts, run.place)


@contextmanager
def trial_run(trial: Trial, to: Address) -> Iterator[OwnRun]:
    """A run of this one message, with a key of its own.

    If the process is killed, it is left: whoever sends next for the account reads there what was sent.

    Raises:
        UsageError: whose phone it is has opted out.
        RunFileError: who opted out cannot be read, or the run not be written.
    """
    with opted_out(to, trial.where) as optouts:
        if optouts and (says := optouts.why(trial.phone)):
            raise UsageError(f"{trial.phone}: {says}")
    terms = Terms(endpoint=trial.of.endpoint, org_id=to.org_id, base_url=to.base_url)
    facts = replace(Facts.new("a trial", (), terms), country=trial.of.country)
    with tempfile.TemporaryDirectory(prefix="bulksend-") as folder:
        writer = new_plan(Path(folder) / "trial.run")
        try:
            writer.add(trial)
            run = finish_plan(writer, facts, Findings(), _NO_LINES, time.time())
        except BaseException:
            writer.discard()
            raise
        with run:
            yield run


def _row_of(run: Run, row: int | None) -> RowTold:
    if row is None:
        first = run.plan(1).previews
        if not first:
            raise UsageError("no row is left to be sent: name the row whose text is meant")
        row = first[0].row
    found = run.told([row])
    if not found:
        raise UsageError(f"there is no row {row}: the input has {run.tally().rows:,}")
    return found[0]
