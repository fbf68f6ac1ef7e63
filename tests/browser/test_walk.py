"""A person's first campaign from the page alone, in a real browser: what they see is what the server got."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pages import settings
from tabs import Tab, beside, chromium, opened
from xlsxwriter import Workbook

from bulksend.engagespark import Sandbox, SandboxOptions
from bulksend.web import PageServer

NAMES = ["Ana", "Ben <script>alert(1)</script>", '=cmd|" /C calc"!A0', "\u202eDan", "Eve & Sons"]
ROWS = 300


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


def workbook(path: Path) -> Path:
    """A sheet as people have it: two columns that could be numbers, a row that is none, one that comes twice."""
    with Workbook(path) as book:
        sheet = book.add_worksheet("Customers")
        sheet.write_row(0, 0, ["Name", "Mobile", "Phone"])
        for row in range(1, ROWS + 1):
            number = "12" if row == 3 else f"63917{row:07}"
            sheet.write_row(row, 0, [NAMES[row % len(NAMES)], number, f"63918{row:07}"])
    return path


async def received(sandbox: Sandbox) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{sandbox.base_url}/sandbox/log") as answer:
        log = [json.loads(line) for line in (await answer.text()).splitlines()]
    return [each for each in log if each["accepted"]]


async def bring(tab: Tab, file: Path) -> None:
    await tab.see("campaigns-none")
    await tab.press("New campaign")
    await tab.see("choose")
    await tab.page.get_by_label("Choose a file, or drop one here").set_input_files(file)
    await tab.press("Read it")
    await tab.page.get_by_role("alert").wait_for()
    await tab.see("sheet-asks")
    await tab.page.get_by_label("Column of the phone numbers").select_option("Mobile")
    await tab.press("Go on to the text")


async def write(tab: Tab) -> None:
    await tab.page.wait_for_url("**/text")
    await tab.fill("Message", "Hi ")
    await tab.page.get_by_role("button", name="Name", exact=True).click()
    await tab.page.get_by_label("Message").press_sequentially(", we open at 9 ŵ")
    await tab.page.locator("#preview mark", has_text="ŵ").first.wait_for()
    await tab.see("text-wide")
    await tab.fill("Message", "Hi {Name}, we open at 9")
    await tab.fill("From (sender id)", "ACME")
    await tab.page.locator(".all-rows", has_text="for all rows").wait_for()
    await tab.see("text")
    await tab.press("See who gets it")


async def look(tab: Tab) -> None:
    await tab.page.wait_for_url("**/who")
    await tab.page.get_by_text("By what a column holds").click()
    await tab.page.get_by_text("By a list").click()
    await tab.page.get_by_text("Twice in the sheet, or abroad").click()
    await tab.page.get_by_label("One message to a phone: the first").check()  # where it is, it stays
    await tab.page.get_by_text("Bring the mended sheet").click()
    await tab.see("who")
    await tab.press("Look at the rows: Cannot be sent")
    await tab.see("rows")
    await tab.page.get_by_role("link", name="Back").click()
    await tab.press("See the price")


async def agree(tab: Tab) -> str:
    await tab.page.wait_for_url("**/price*")
    await tab.page.get_by_text("When it is sent").click()
    await tab.page.get_by_text("What it may cost at most").click()
    await tab.see("price-nobodys")
    await tab.fill("Organization (a number)", "7")
    await tab.fill("API key", "k1-secret")
    await tab.press("Keep the key")
    send = tab.page.get_by_role("button", name="Send ")
    await send.wait_for()
    await tab.see("price")
    assert "k1-secret" not in await tab.page.content()
    says: str = await send.inner_text()
    return says


async def test_a_first_campaign(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1-secret", org_id=7, latency_s=2.0)) as sandbox,
        PageServer(settings(tmp_path, base_url=sandbox.base_url)) as server,
        chromium() as browser,
        opened(server, browser) as tab,
    ):
        await bring(tab, workbook(tmp_path / "June <b>.xlsx"))
        await write(tab)
        await look(tab)
        assert await agree(tab) == f"Send {ROWS - 1} messages for $5.98"
        async with beside(tab) as other:
            await other.press("Send ")
            await other.page.get_by_role("heading", name="Sending").wait_for()
        await tab.page.goto(tab.base)  # the tab that it was begun in is closed, and it is found again
        await tab.page.get_by_role("link", name="June _b_.xlsx").click()
        await tab.see("sending")
        await tab.page.get_by_text("a second").wait_for()
        await tab.press("Stop")
        await tab.page.get_by_role("heading", name="Stopped early").wait_for()
        await tab.see("stopped")
        so_far = await received(sandbox)
        assert 0 < len(so_far) < ROWS - 1
        await tab.press(f"Go on: send {ROWS - 1 - len(so_far)} ")
        await tab.page.get_by_role("heading", name="Finished").wait_for()
        await tab.see("finished")
        async with tab.page.expect_download() as download:
            await tab.page.get_by_role("link", name="Results as CSV").click()
        path = await (await download.value).path()
        results = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
        await tab.page.get_by_role("link", name="bulksend").click()
        await tab.see("campaigns")
        log = await received(sandbox)
    sent = {row["messageId"]: (row["to"], row["messageSent"]) for row in results if row["status"] == "sent"}
    assert {each["messageId"] for each in log} == set(sent)
    assert len(log) == len(sent) == ROWS - 1
    assert [row["status"] for row in results if row["row"] == "3"] == ["invalid"]
    assert sent[log[0]["messageId"]][1].startswith(("Hi ", "'Hi "))


async def test_the_folder_that_it_was_opened_in_offers_its_sheets(tmp_path: Path) -> None:
    said = settings(tmp_path)
    (said.folder / "july.csv").write_text("to\n639171234567\n")
    async with PageServer(said) as server, chromium() as browser, opened(server, browser) as tab:
        await tab.press("New campaign")
        await tab.press("july.csv")
        await tab.page.get_by_label("Column of the phone numbers").wait_for()
        await tab.see("sheet")
        await tab.press("Go on to the text")
        await tab.page.wait_for_url("**/text")
        await tab.fill("Message", "Hi")
        await tab.fill("From (sender id)", "ACME")
        await tab.press("See who gets it")
        await tab.press("See the price")
        await tab.press("Rehearse first")
        await tab.page.get_by_role("button", name="Rehearse 1 message").wait_for()
        await tab.see("price-rehearsal")
        await tab.press("Rehearse 1 message")
        await tab.page.get_by_role("heading", name="Finished").wait_for()
        await tab.see("rehearsed")


async def test_a_file_that_is_none_and_a_text_with_a_slip_are_told_where_they_are(tmp_path: Path) -> None:
    bad = tmp_path / "scan.csv"
    bad.write_bytes(b"%PDF-1.4 \0\0")
    async with PageServer(settings(tmp_path)) as server, chromium() as browser, opened(server, browser) as tab:
        await tab.press("New campaign")
        await tab.page.get_by_label("Choose a file, or drop one here").set_input_files(bad)
        await tab.press("Read it")
        await tab.page.get_by_role("alert").wait_for()
        await tab.see("choose-fault")
        assert "scan.csv" in await tab.text()
        await tab.page.reload()  # nothing asks whether it is to be sent once more
        await tab.page.get_by_role("heading", name="Choose a sheet").wait_for()
        good = tmp_path / "july.csv"
        good.write_text("to\n639171234567\n")
        await tab.page.get_by_label("Choose a file, or drop one here").set_input_files(good)
        await tab.press("Read it")
        await tab.press("Go on to the text")
        await tab.fill("Message", "Hi {Nmae}")
        async with tab.page.expect_navigation():
            await tab.page.get_by_label("From (sender id)").press("Enter")  # goes on, and sends nothing to a phone
        await tab.see("text-fault")
        await tab.fill("Message", "Hi")
        await tab.press("See who gets it")
        await tab.page.wait_for_url("**/who")
        await tab.press("Look at the rows: To send")
        await tab.page.get_by_role("link", name="Back").click()
        await tab.page.go_back()
        await tab.page.get_by_role("heading", name="Rows").wait_for()
        for _ in range(2):
            await tab.page.go_back()
        await tab.page.get_by_label("Message").wait_for()


async def test_all_that_a_campaign_can_be_told(tmp_path: Path) -> None:
    sheet = tmp_path / "june.csv"
    sheet.write_text("Name,to\n" + "".join(f"Ana {row},63917{row:07}\n" for row in range(ROWS)) + "Bad,12\n")
    async with (
        Sandbox(SandboxOptions(token="k1-secret", org_id=7, latency_s=1.0)) as sandbox,
        PageServer(settings(tmp_path, base_url=sandbox.base_url, confirm_above=1_000_000)) as server,
        chromium() as browser,
        opened(server, browser) as tab,
    ):
        await tab.press("New campaign")
        await tab.page.get_by_label("Choose a file, or drop one here").set_input_files(sheet)
        await tab.press("Read it")
        await tab.press("Go on to the text")
        await tab.fill("Message", "Hi {Name}")
        await tab.fill("From (sender id)", "ACME")
        await tab.press("See who gets it")
        await tab.page.get_by_text("By what a column holds").click()
        await tab.fill("is", "Ana 7")
        await tab.page.get_by_label("Rows", exact=True).select_option("Leave out rows where")
        await tab.press("Add")
        await tab.see("who-filtered")
        await tab.press("See the price")
        await tab.fill("Organization (a number)", "7")
        await tab.fill("API key", "k1-secret")
        await tab.press("Keep the key")
        await tab.page.get_by_text("When it is sent").click()
        await tab.fill("Only in these hours", "00:00-24:00")
        await tab.fill("By the clock of", "Asia/Manila")
        await tab.press("Keep this time")
        await tab.page.get_by_text("to my phone").click()
        await tab.fill("Your phone number", "+63 918 111 2222")
        await tab.press("Send this one text")
        await tab.see("price-tried")
        await tab.fill("To confirm, write $5.98", "5.98")
        await tab.press(f"Send {ROWS - 1} messages for $5.98")
        await tab.page.get_by_text("a second").wait_for()
        await tab.press("Pause")
        await tab.page.get_by_role("heading", name="Paused").wait_for()
        await tab.see("paused")
        left = await tab.page.get_by_text("To confirm, write").inner_text()
        await tab.page.get_by_label("To confirm, write").fill(left.split()[-1])
        await tab.press("Go on: send ")
        await tab.page.get_by_role("heading", name="Finished").wait_for()
        await tab.press("Ask whether they arrived")
        await tab.see("arrived")
        await tab.page.get_by_role("link", name="bulksend").click()
        await tab.page.get_by_role("link", name="What did a phone get?").click()
        await tab.fill("Phone number", "639170000008")
        await tab.press("Look")
        await tab.see("found")
        assert "Hi Ana 8" in await tab.text()
        assert len(await received(sandbox)) == ROWS  # the trial included
