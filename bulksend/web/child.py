"""The process that plans and sends for the page: a job comes in by its input, what happens goes out, a line each.

When its input ends, the page is gone or wants it to end: then it ends in order, as after Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

from bulksend.errors import BulksendError, UndecidedError
from bulksend.web.jobs import Job, Look, Make, Price, job_in
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

    def tell(self, what: Told) -> None:
        with suppress(OSError):
            os.write(self._output, written(what))


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
    """Do it; what others need is left alone: to load it takes longer than most jobs do."""
    match job:
        case Look():
            from bulksend.web import look_jobs  # noqa: PLC0415

            return await look_jobs.do(job)
        case Price() | Make():
            from bulksend.web import plan_jobs  # noqa: PLC0415

            return await plan_jobs.do(job)
        case _:
            from bulksend.web import send_jobs  # noqa: PLC0415

            return await send_jobs.do(job, teller.tell)


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    main()
