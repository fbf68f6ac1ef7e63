"""The process that plans and sends for the page: a job comes in by its input, what happens goes out, a line each.

When its input ends, the page is gone or wants it to end: then it ends in order, as after Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial

from bulksend.campaign import CampaignEvent, Started
from bulksend.errors import BulksendError, UndecidedError
from bulksend.python import work_on
from bulksend.web import plan_jobs, send_jobs
from bulksend.web.jobs import Fetch, Job, Look, Make, Price, Send, Settle, Try, job_in
from bulksend.web.moving import moved_by
from bulksend.web.told import Over, Refused, Told, written
from bulksend.web.wording import advised, speak


def main() -> None:
    """Do one job; the only argument is the language in which it is told of."""
    speak(sys.argv[1])
    output = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no line of ours
    teller = _Teller(output)
    try:
        asyncio.run(_work(teller))
    except UndecidedError as error:
        teller.tell(Refused(str(error.about.get("sentence", error)), error.question.value))
    except BulksendError as error:
        teller.tell(Refused(advised(error)))
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
        if isinstance(event, Started):
            self._rows = event.rows
        if (moved := moved_by(event, self._rows)) is not None:
            self.tell(moved)


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
        case Look():
            return await asyncio.to_thread(plan_jobs.see, job)
        case Price():
            return await asyncio.to_thread(plan_jobs.price, job)
        case Make():
            return await work_on(partial(plan_jobs.make, job))
        case Send():
            return await send_jobs.send(job, teller.hear)
        case Try():
            return await work_on(partial(send_jobs.try_out, job), teller.hear)
        case Fetch():
            return await send_jobs.fetch(job)
        case Settle():
            return await send_jobs.settle(job)


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    main()
