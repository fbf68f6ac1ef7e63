"""The process that plans and sends for the page: a job comes in by its input, what happens goes out, a line each.

When its input ends, the page is gone or wants it to end: then it ends in order, as after Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from bulksend import campaign
from bulksend.campaign import AccountBusy, CampaignEvent, Progressed, ServerAway, Slowed, Started, StoppingEarly
from bulksend.errors import BulksendError, UndecidedError, UsageError
from bulksend.model import Status
from bulksend.planning import ReadOptions, Sheet, look_at_sheet
from bulksend.python import Account, Campaign, SendOptions, plan, send
from bulksend.runs import Address
from bulksend.web.jobs import (
    Job,
    Look,
    Made,
    Make,
    Moved,
    Over,
    Price,
    Priced,
    Refused,
    Send,
    SheetSeen,
    Told,
    job_in,
    written,
)

_ROWS_SHOWN = 50
_CELL_MAX = 1_500  # characters: more than any message has
_COLUMNS_MAX = 200
_REPEAT = frozenset({"sent before", "lost"})
_FORCE = frozenset({"network", "home"})


def main() -> None:
    """Do one job."""
    output = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no line of ours
    teller = _Teller(output)
    try:
        asyncio.run(_work(teller))
    except UndecidedError as error:
        teller.tell(Refused(str(error), error.question.value))
    except BulksendError as error:
        teller.tell(Refused(str(error)))
    except asyncio.CancelledError:
        teller.tell(Over())


class _Teller:
    """Writes lines; whether anybody reads them does not matter to a send."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._rows = 0

    def tell(self, what: Told) -> None:
        with suppress(OSError):
            os.write(self._output, written(what))

    def hear(self, event: CampaignEvent) -> None:
        """Tell of an event what the page shows."""
        match event:
            case Started(rows):
                self._rows = rows
                self.tell(Moved(rows=rows))
            case Progressed():
                self.tell(_moved(self._rows, event))
            case AccountBusy():
                self.tell(Moved("busy"))
            case Slowed():
                self.tell(Moved("slowed", self._rows))
            case ServerAway():
                self.tell(Moved("away", self._rows))
            case StoppingEarly():
                self.tell(Moved("stopping", self._rows))
            case _:
                pass


def _moved(rows: int, event: Progressed) -> Moved:
    ends = event.now.ends
    sent = ends.get(Status.SENT, 0)
    says = "away" if event.away_s is not None else "slowed" if event.slowed_s else ""
    return Moved(says, rows, sent, sum(ends.values()) - sent, event.pace, event.left_s)


async def _work(teller: _Teller) -> None:
    lines = await _lines()
    job = job_in(await lines.readline())
    working = asyncio.create_task(_do(job, teller))
    ending = asyncio.create_task(lines.read())  # until it ends
    await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        working.cancel()
    try:
        teller.tell(await working)
    finally:
        ending.cancel()


async def _do(job: Job, teller: _Teller) -> Told:
    match job:
        case Look(draft):
            options = ReadOptions()
            mapping = list(draft.mapping.items())
            return _seen(await asyncio.to_thread(look_at_sheet, draft.input_name, options, mapping, _ROWS_SHOWN))
        case Price(draft):
            return await asyncio.to_thread(_priced, _campaign(job))
        case Make(draft):
            made = await plan(_campaign(job), _account_of_plan(job))
            return Made(str(made.place), made.estimate.balance_micro)
        case Send(run, org_id):
            account = Account.rehearsal() if org_id is None else _account(org_id, job)
            await send(run, account, _options(job), teller.hear)
            return Over()


def _campaign(job: Price | Make) -> Campaign:
    """The campaign that a draft means."""
    draft = job.draft
    return Campaign(
        draft.input_name,
        message=draft.message or None,
        sender=draft.sender or None,
        columns=draft.mapping,
        country=draft.country or None,
    )


def _priced(wanted: Campaign) -> Priced:
    found = campaign.survey(wanted.request(Address(0, ""), lambda: None))
    overview = found.overview
    left_out = found.tally.rows - overview.rows
    return Priced(overview.rows, overview.parts, overview.price, overview.unpriced, left_out)


def _seen(sheet: Sheet) -> SheetSeen:
    def cut(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cell[:_CELL_MAX] for cell in cells[:_COLUMNS_MAX])

    rows = tuple(map(cut, sheet.rows))
    notes = tuple(note.says for note in sheet.notes)
    columns = cut(sheet.columns)
    return SheetSeen(columns, sheet.numbers, sheet.asks, sheet.own_texts, rows, sheet.lines, sheet.hidden, notes)


def _account_of_plan(job: Make) -> Account | None:
    if job.draft.rehearses:
        return Account.rehearsal()
    return None if job.org_id is None else _account(job.org_id, job)


def _account(org_id: int, job: Make | Send) -> Account:
    try:
        key = Path(job.key_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError("the API key is gone from its file: give it once more") from error
    return Account(org_id, key, job.base_url)


def _options(job: Send) -> SendOptions:
    said = frozenset(job.answers)
    return SendOptions(repeat=bool(said & _REPEAT), force=bool(said & _FORCE))


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    main()
