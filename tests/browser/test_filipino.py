"""The way in Filipino: no word of the page itself stays English on any of its screens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from pages import settings
from tabs import Tab, chromium, opened

from bulksend.engagespark import Sandbox, SandboxOptions
from bulksend.web import PageServer
from bulksend.web.wording import words

ENGLISH, FILIPINO = words("en"), words("fil")
READ = """() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    const named = [...document.querySelectorAll("[aria-label], [placeholder], [title]")].flatMap(
        (each) => ["aria-label", "placeholder", "title"].map((name) => each.getAttribute(name) || ""));
    const chosen = [...document.querySelectorAll("option")].map((each) => each.textContent);
    return [document.title.split(" · ")[0], ...named, ...chosen, ...document.body.innerText.split("\\n")];
}"""


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


def _patterns() -> Iterator[re.Pattern[str]]:
    """What would be English: each sentence that Filipino has another for, whatever is filled in."""
    for key, sentence in ENGLISH.items():
        for each in sentence.split("|"):
            if each not in FILIPINO[key].split("|") and each not in FILIPINO.values():
                parts = (
                    re.escape(text) + (".+" if name is not None else "") for text, name, *_ in Formatter().parse(each)
                )
                yield re.compile("".join(parts))


PATTERNS = tuple(_patterns())


async def see(tab: Tab, screen: str) -> None:
    """The screen is there, for everybody, and is Filipino; what the core says of sheet and rows may be English."""
    assert await tab.page.locator("html").get_attribute("lang") == "fil"
    lines = {line.strip() for line in await tab.page.evaluate(READ)}
    english = [line for line in lines if any(pattern.fullmatch(line) for pattern in PATTERNS)]
    assert english == [], screen
    await tab.see(f"fil-{screen}")


def test_english_would_be_seen() -> None:
    for line in ("New campaign", "12 messages to send", "Remove +63", "1 row got another text within 7 days."):
        assert any(pattern.fullmatch(line) for pattern in PATTERNS), line
    for line in ("Bagong campaign", "Text", "Preview", "Ana", "duplicate of row 1"):
        assert not any(pattern.fullmatch(line) for pattern in PATTERNS), line


async def plan(tab: Tab, sheet: Path) -> None:
    await see(tab, "campaigns-none")
    await tab.press(FILIPINO["campaigns.new"])
    await see(tab, "choose")
    await tab.page.get_by_label(FILIPINO["sheet.bring"]).set_input_files(sheet)
    await tab.press(FILIPINO["sheet.take"])
    await see(tab, "sheet")
    await tab.page.get_by_label(FILIPINO["sheet.numbers"]).select_option("Selpon")
    await tab.page.get_by_label(FILIPINO["sheet.country"]).select_option("Pilipinas")
    await tab.press(FILIPINO["sheet.go"])
    await tab.fill(FILIPINO["text.message"], "Kumusta {Ngalan} ŵ")
    await tab.fill(FILIPINO["text.sender"], "ACME")
    await tab.page.locator(".all-rows", has_text="para sa lahat ng row").wait_for()
    await see(tab, "text")
    await tab.press(FILIPINO["text.go"])
    await see(tab, "who")
    await tab.press(FILIPINO["who.look_at"].format(why=FILIPINO["who.invalid"]))
    await see(tab, "rows")
    await tab.page.get_by_role("link", name=FILIPINO["rows.back"]).click()
    await tab.press(FILIPINO["who.go"])


async def send(tab: Tab) -> None:
    await see(tab, "price-nobodys")
    await tab.fill(FILIPINO["price.organization"], "7")
    await tab.fill(FILIPINO["price.key"], "k1-secret")
    await tab.press(FILIPINO["price.keep"])
    await see(tab, "price")
    await tab.page.get_by_role("link", name=FILIPINO["steps.text"], exact=True).click()
    await tab.page.get_by_text(FILIPINO["trial.own"]).wait_for()
    await tab.fill(FILIPINO["text.message"], "Bago {Ngalan}")
    await see(tab, "text-known")
    await tab.fill(FILIPINO["trial.phone"], "+63 918 111 2222")
    await tab.press(FILIPINO["trial.send_row"])
    await tab.page.get_by_text("Naipadala ang row 1 sa 639181112222").wait_for()
    assert await tab.page.get_by_label(FILIPINO["text.message"]).input_value() == "Bago {Ngalan}", "what was written"
    await tab.page.get_by_label(FILIPINO["text.sender"]).press("Enter")  # goes on, and sends nothing
    await tab.page.wait_for_url("**/who")
    await see(tab, "who-known")
    await tab.press(FILIPINO["who.go"])
    await tab.press("Ipadala ang 13 mensahe")
    await see(tab, "sending")
    await tab.page.get_by_role("heading", name=FILIPINO["state.finished"]).wait_for()
    await see(tab, "finished")


async def look_back(tab: Tab) -> None:
    await tab.page.get_by_role("link", name="bulksend").click()
    await see(tab, "campaigns")
    await tab.page.get_by_role("link", name=FILIPINO["find.title"]).click()
    await tab.fill(FILIPINO["find.number"], "+639170000001")
    await tab.press(FILIPINO["find.go"])
    await see(tab, "find")
    await tab.page.get_by_role("link", name=FILIPINO["find.back"]).click()
    await tab.page.get_by_role("link", name=FILIPINO["optouts.title"]).click()
    await tab.fill(FILIPINO["find.number"], "+639170000002")
    await tab.fill(FILIPINO["optouts.reason"], "tumawag")
    await tab.press(FILIPINO["optouts.add"])
    await see(tab, "optouts")
    await tab.press(FILIPINO["optouts.remove_one"].format(who="639170000002"))
    await see(tab, "optout")
    await tab.press(FILIPINO["optouts.remove"])
    await see(tab, "optouts-removed")


@pytest.mark.long
async def test_somebody_goes_the_way_in_filipino(tmp_path: Path) -> None:
    sheet = tmp_path / "hunyo.csv"
    rows = "".join(f"Ana {row},0917{row:07},9\n" for row in range(12))
    sheet.write_text(f"Ngalan,Selpon,Numero\n{rows}Ben,12,9\nAna 1,09170000001,9\n", encoding="utf-8")
    async with (
        Sandbox(SandboxOptions(token="k1-secret", org_id=7, latency_s=1.0)) as sandbox,
        PageServer(settings(tmp_path, base_url=sandbox.base_url)) as server,
        chromium() as browser,
        opened(server, browser) as tab,
    ):
        await tab.press("Filipino")
        await plan(tab, sheet)
        await send(tab)
        await look_back(tab)
        assert sandbox.summary().accepted == 13 + 1
