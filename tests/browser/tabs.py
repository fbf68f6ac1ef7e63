"""A tab of the browser, in which a person goes the way; each screen is looked at as it is reached."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bulksend.web import PageServer

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

PROGRAM = "BULKSEND_TEST_BROWSER"

PICTURES = "BULKSEND_TEST_PICTURES"
"""A folder where each screen is drawn in, for people to look at."""
WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1280}
_HEIGHT = 900
_MEANT = (  # what browser and htmx call errors, and are none
    "Failed to load resource: the server responded with a status of 422",  # a form was refused, and comes with why
    "htmx:afterRequest",  # a preview was asked for anew before it came
    "htmx:sendAbort",
)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Tab:
    """One tab.

    Attributes:
        page: Playwright's.
        wrong: what the browser complained of: scripts that failed, what the policy of contents refused.
    """

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.wrong: list[str] = []
        page.on("console", lambda said: self.wrong.append(said.text) if _is_wrong(said.type, said.text) else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda asked: None if _is_own(asked.url, base) else self.wrong.append(asked.url))

    async def see(self, screen: str) -> None:
        """The screen is there: nothing is wrong with it, for anybody, at any width, dark and light."""
        folder = os.environ.get(PICTURES)
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type,unused-ignore]
            for name, width in WIDTHS.items() if folder or scheme == "light" else ():
                await self.page.set_viewport_size({"width": width, "height": _HEIGHT})
                assert not await self._overflows(), f"{screen}: wider than {width} pixels"
                if folder:
                    path = Path(folder) / f"{screen}-{name}-{scheme}.png"
                    await self.page.screenshot(path=path, full_page=True, caret="initial")
            barriers = await self._barriers()
            assert not barriers, f"{screen}, {scheme}: {barriers}"
        assert self.wrong == [], f"{screen}: {self.wrong}"

    async def fill(self, label: str, value: str) -> None:
        await self.page.get_by_label(label, exact=True).fill(value)

    async def press(self, name: str) -> None:
        """Press the button of that name, by the keyboard; another page comes."""
        button = self.page.get_by_role("button", name=name)
        await button.focus()
        async with self.page.expect_navigation():
            await self.page.keyboard.press("Enter")

    async def text(self) -> str:
        told: str = await self.page.locator("main").inner_text()
        return told

    async def _overflows(self) -> bool:
        found: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return found

    async def _barriers(self) -> list[str]:
        from axe_playwright_python.base import AXE_FILE_PATH  # noqa: PLC0415 -- of the extra `browser`

        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
        rules = {"runOnly": {"type": "tag", "values": _RULES}}
        found: dict[str, Any] = await self.page.evaluate("rules => axe.run(rules)", rules)
        return [
            f"{each['id']}: {each['help']}: {node['html']}" for each in found["violations"] for node in each["nodes"]
        ]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, or whatever BULKSEND_TEST_BROWSER names; without one the test is skipped."""
    api = pytest.importorskip("playwright.async_api", reason="the extra `browser` is not installed")
    program = os.environ.get(PROGRAM) or shutil.which("chromium")
    if program is None:
        pytest.skip(f"there is no chromium on this machine, and {PROGRAM} names none")
    async with api.async_playwright() as playwright:
        sandboxed = [] if os.getuid() else ["--no-sandbox"]  # which root cannot have
        browser: Browser = await playwright.chromium.launch(executable_path=program, args=sandboxed)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(server: PageServer, browser: Browser) -> AsyncIterator[Tab]:
    """A tab that entered by the file, as people's browsers do; several share the cookie of one window."""
    context = await browser.new_context(reduced_motion="reduce")  # colours that change are no colours to look at
    page = await context.new_page()
    await page.goto(server.entry.as_uri())
    await page.wait_for_url(f"http://127.0.0.1:{server.port}/")
    yield Tab(page, f"http://127.0.0.1:{server.port}")
    await context.close()


@asynccontextmanager
async def beside(tab: Tab) -> AsyncIterator[Tab]:
    """Another tab of the same window, at the same page."""
    page = await tab.page.context.new_page()
    await page.goto(tab.page.url)
    yield Tab(page, tab.base)
    await page.close()


def _is_wrong(kind: str, says: str) -> bool:
    """Whether it is a fault of the page."""
    return kind == "error" and not says.startswith(_MEANT)


def _is_own(url: str, base: str) -> bool:
    return url.startswith((f"{base}/", "data:", "blob:"))
