"""The API's list of messages, read page by page, the newest first, back to a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bulksend.engagespark.account import Looked, Page

_PAGES_MAX = 200


async def read_back(
    page_behind: Callable[[str | None], Awaitable[Page | Looked]], since: float, pages: list[Page]
) -> Looked:
    """Read a list back to a time, as far as it can be read, page behind page, which are added to ``pages``."""
    walk = Walk(page_behind, since)
    while walk.ended is None and len(pages) < _PAGES_MAX:
        if page := await walk.next():
            pages.append(page)
    return walk.ended or Looked.IN_PART


class Walk:
    """One reading of the list.

    Args:
        ask: asks for the page behind a cursor.
        since_s: what is older is not wanted, in seconds since 1970.

    Attributes:
        ended: how the reading ended; None while there is more to read.
    """

    __slots__ = ("_after", "_ask", "_asked", "_since_s", "ended")

    def __init__(self, ask: Callable[[str | None], Awaitable[Page | Looked]], since_s: float) -> None:
        self._ask = ask
        self._since_s = since_s
        self._after: str | None = None
        self._asked: set[str] = set()
        self.ended: Looked | None = None

    async def next(self) -> Page | None:
        """The next page; None if it could not be read."""
        page = await self._ask(self._after)
        if isinstance(page, Looked):
            self.ended = page
            return None
        if page.after is None or _ends_before(page, self._since_s):
            self.ended = Looked.THROUGH
        elif page.after in self._asked:
            self.ended = Looked.IN_PART  # it goes round in circles
        else:
            self._asked.add(page.after)
            self._after = page.after
        return page


def _ends_before(page: Page, since_s: float) -> bool:
    """Whether all behind a page is older than a time; only a list with the newest first tells that."""
    times = [message.created for message in page.messages]
    return bool(times) and times[-1] < since_s and times == sorted(times, reverse=True)
