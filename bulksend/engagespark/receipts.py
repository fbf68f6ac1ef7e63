"""Delivery receipts: what the API tells of messages that it has accepted, in as few requests as it takes.

Its list tells a hundred at a time, but all that the account has sent; a look-up tells one. So the list is read for as
long as it tells something of what is awaited, and given up when as many pages in all told nothing as look-ups would
tell the rest: that is never more than twice the requests that whoever knew it all beforehand would need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from bulksend.engagespark.account import Listed, Looked, Page
from bulksend.engagespark.paging import Walk
from bulksend.model import Receipt

_SLACK_S = 120.0  # the list is read back so much further, for the server's clock may differ from ours
_SLACK = timedelta(days=2)  # how the list reads the end of a day, and in which time zone, is not documented
_PAUSES_S = (0.5, 2.0)  # before it is asked again where no answer came
_AT_ONCE = 1_000  # messages

T = TypeVar("T")

Pause = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""


class Teller(Protocol):
    """What is needed of the API."""

    async def messages(self, after: str | None, end: date | None = None) -> Page | Looked:
        """A page of the account's messages, the one behind the cursor ``after``; none newer than a day, if given."""

    async def message(self, message_id: str) -> Listed | Looked:
        """One message; NO_SUCH if the server knows none of this id."""


class Awaiting(Protocol):
    """The messages of which receipts are awaited, and where these are kept.

    Attributes:
        left: how many were not told of yet.
        since_s: when the first was sent, in seconds since 1970.
        until_s: when the last was.
    """

    left: int
    since_s: float
    until_s: float

    def note(self, receipts: Sequence[Receipt]) -> int:
        """Keep what was told of those awaited, durably; how many these are."""

    def next(self, after: str, limit: int) -> list[str]:
        """The next messageIds behind one, in their order, that were not told of yet."""


async def ask_for_receipts(
    api: Teller, awaiting: Awaiting, limiter: AbstractAsyncContextManager[None], pause: Pause
) -> Looked:
    """Ask once for what is awaited; what is told is kept as it comes.

    Args:
        api: the API.
        awaiting: what is awaited.
        limiter: lets so many requests through at a time.
        pause: waits.

    Returns:
        How the looking went. THROUGH: the server was asked for all of it, and what it did not tell of it does not know.
    """
    return await _Asking(api, awaiting, limiter, pause).ask()


class _Asking:
    def __init__(
        self, api: Teller, awaiting: Awaiting, limiter: AbstractAsyncContextManager[None], pause: Pause
    ) -> None:
        self._api = api
        self._awaiting = awaiting
        self._limiter = limiter
        self._pause = pause
        self._end: date | None = (datetime.fromtimestamp(awaiting.until_s, UTC) + _SLACK).date()
        self._pages = 0

    async def ask(self) -> Looked:
        looked = await self._read_list()
        if looked is not None or not self._awaiting.left:
            return looked or Looked.THROUGH
        return await self._look_up()

    async def _read_list(self) -> Looked | None:
        """Read the list as long as that is worth it; how that went, None if look-ups are to tell the rest."""
        walk = Walk(self._page, self._awaiting.since_s - _SLACK_S)
        in_vain, is_whole = 0, True
        while walk.ended is None and in_vain < self._awaiting.left:
            page = await walk.next()
            if page is None:
                return Looked.IN_PART if self._pages else walk.ended
            self._pages += 1
            is_whole = is_whole and page.is_whole
            in_vain += not self._awaiting.note([message.receipt() for message in page.messages])
        return Looked.THROUGH if walk.ended is Looked.THROUGH and is_whole else None

    async def _look_up(self) -> Looked:
        """Look the rest up one by one."""
        after = ""
        while some := self._awaiting.next(after, _AT_ONCE):
            for message_id in some:
                told = await self._answered(partial(self._api.message, message_id))
                if isinstance(told, Listed) and told.message_id == message_id:
                    self._awaiting.note([told.receipt()])
                elif told is not Looked.NO_SUCH:
                    return Looked.IN_PART
            after = some[-1]
        return Looked.THROUGH

    async def _page(self, after: str | None) -> Page | Looked:
        page = await self._answered(partial(self._api.messages, after, self._end))
        if page is Looked.NOT_UNDERSTOOD and self._end and not self._pages:
            self._end = None  # it does not take our dates
            return await self._page(after)
        return page

    async def _answered(self, ask: Callable[[], Awaitable[T | Looked]]) -> T | Looked:
        """An answer; where none came it is asked again, a little later."""
        for pause_s in _PAUSES_S:
            told = await self._let_through(ask)
            if told is not Looked.NOT_REACHED:
                return told
            await self._pause(pause_s)
        return await self._let_through(ask)

    async def _let_through(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._limiter:
            return await ask()
