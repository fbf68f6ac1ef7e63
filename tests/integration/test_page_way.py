"""A campaign from the page alone: a sheet, its text, its price, sent to a sandbox, stopped and gone on with."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pages import Browser, accepts_more, entered, holding, settings
from xlsxwriter import Workbook

from bulksend.engagespark import Sandbox, SandboxOptions

SHEET = b"Name,Mobile,Phone\nAna,639171234567,x\nBen,639181234567,x\nCyd,12,x\n"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))
    for name in ("API_KEY", "RATE", "MAX_COST", "SENDER", "ORG_ID"):  # what the terminal says is not said on the page
        monkeypatch.setenv(f"BULKSEND_{name}", "0.01")


async def _log(base_url: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{base_url}/sandbox/log") as answer:
        return [json.loads(line) for line in (await answer.text()).splitlines()]


async def _ended(browser: Browser, key: str) -> str:
    async with asyncio.timeout(30):
        told = await browser.get(f"/c/{key}/sending/events")
    assert told.text.rstrip().endswith("data: over")
    return (await browser.get(f"/c/{key}/sending")).text


async def test_the_whole_way(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox:
        async with entered(settings(tmp_path, base_url=sandbox.base_url)) as browser:
            asked = await browser.begin("june.csv", SHEET)
            key = asked.key
            assert "could be the recipient" in asked.text
            refused = await browser.post(f"/c/{key}/sheet", numbers="", country="")
            assert refused.path == f"/c/{key}/sheet"
            assert (await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")).path == f"/c/{key}/text"
            seen = await browser.post(f"/c/{key}/text/preview", message="Hi {Name} ŵ", row="2")
            assert "Hi Ben <mark>ŵ</mark>" in seen.text
            assert "8 of 70 characters, 1 SMS part" in seen.text
            priced = await browser.post(f"/c/{key}/text/price", message="Hi {Name}")
            assert "$0.04" in priced.text
            wrong = await browser.post(f"/c/{key}/text", message="Hi {Nmae}", sender="ACME")
            assert wrong.status == 422
            assert "did you mean {Name}" in wrong.text
            who = await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
            assert who.path == f"/c/{key}/who"
            price = await browser.get(f"/c/{key}/price")
            assert "Send 2 messages" not in price.text, "nobody knows yet whose account it is"
            price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
            assert "Send 2 messages for $0.04" in price.text
            assert "Hi Ben" in (await browser.get(f"/c/{key}/price?row=2")).text
            assert (await browser.post(f"/c/{key}/send", agreed="9 9 9")).status == 409
            assert f'href="/c/{key}/price">june.csv' in (await browser.get("/")).text, (
                "it is looked at before it is sent"
            )
            assert (await browser.get(f"/c/{key}/sending")).path == f"/c/{key}/price"
            await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
            after = await _ended(browser, key)
            assert re.search(r"<dt>sent</dt><dd>2</dd>", after)
            assert re.search(r"<dt>cannot be sent</dt><dd>1</dd>", after)
            results = await browser.get(f"/c/{key}/results.csv")
            rows = list(csv.DictReader(io.StringIO(results.text.removeprefix("\ufeff"))))
            listed = (await browser.get("/")).text
            assert "june.csv" in listed
            assert "Finished" in listed
            assert (await browser.get(f"/c/{key}/text")).path == f"/c/{key}/sending", "what has begun is not changed"
        log = await _log(sandbox.base_url)
    received = {(each["messageId"], each["to"]) for each in log if each["accepted"]}
    assert {(row["messageId"], row["to"]) for row in rows if row["status"] == "sent"} == received
    assert [row["messageSent"] for row in rows][:2] == ["Hi Ana", "Hi Ben"]
    assert len(received) == 2


async def test_it_stops_and_goes_on_also_after_the_page_was_closed(tmp_path: Path) -> None:
    sheet = "to\n" + "".join(f"63917{number:07}\n" for number in range(400))
    async with Sandbox(SandboxOptions(token="k1", org_id=7, latency_s=0.3)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url)
        async with entered(said) as browser:
            key = (await browser.begin("june.csv", sheet.encode())).key
            await browser.post(f"/c/{key}/sheet", numbers="to", country="")
            await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
            price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
            await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
            await accepts_more(sandbox)
            await browser.post(f"/c/{key}/sending/stop")
            stopped = await _ended(browser, key)
            assert "Stopped early" in stopped
            assert sandbox.summary().accepted < 400
            again = await browser.get(f"/c/{key}/sending")
            await browser.post(f"/c/{key}/send", agreed=again.field("agreed"))
            await accepts_more(sandbox)
        so_far = sandbox.summary().accepted
        assert so_far < 400, "the send has ended in order with the page"
        async with entered(said) as browser:
            left = await browser.get(f"/c/{key}/sending")
            assert f"Go on: send {400 - so_far}" in left.text
            assert sandbox.summary().accepted == so_far, "nothing goes on by itself"
            await browser.post(f"/c/{key}/send", agreed=left.field("agreed"))
            assert "Finished" in await _ended(browser, key)
        assert sandbox.summary().accepted == 400


async def test_a_rehearsal_reaches_nobody_and_needs_no_key(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        key = (await browser.begin("june.csv", b"to\n639171234567\n")).key
        await browser.post(f"/c/{key}/sheet", numbers="to", country="")
        await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        price = await browser.post(f"/c/{key}/price/way", way="rehearse")
        assert "Rehearse 1 message" in price.text
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        assert "no phone got anything" in await _ended(browser, key)


async def test_a_file_that_cannot_be_read_is_told_and_not_kept(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        answer = await browser.begin("a.csv", b"%PDF-1.4 \0\0")
        assert answer.status == 422
        assert "a.csv" in answer.text
        assert str(tmp_path) not in answer.text
        assert not list((tmp_path / "page").rglob("a.csv"))


def _book() -> bytes:
    made = io.BytesIO()
    with Workbook(made) as book:
        for name, lines in {
            "Notes": [["written by Ana"]],
            "June": [
                ["Name", "Mobile", "City", "Opt out"],
                ["Ana", "639171234567", "Cebu", "yes"],
                ["Ben", "639181234567", "Davao"],
            ],
            "July &b": [["Name", "Mobile", "Phone"], ["Cy", "639191234567", "639201234567"]],
            "Empty": [],
            "Old": [["Mobile"], ["639211234567"]],
        }.items():
            sheet = book.add_worksheet(name)
            for place, line in enumerate(lines):
                sheet.write_row(place, 0, line)
        sheet.hide()
    return made.getvalue()


async def _breaks_off(browser: Browser, key: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"to\n639221234567\n" * (1 << 16)
        raise ConnectionResetError

    form = aiohttp.FormData({"csrf": browser.csrf})
    form.add_field("file", body(), filename="half.csv")
    with pytest.raises(aiohttp.ClientError):
        await browser.session.post(f"{browser.base}/c/{key}/sheet/bring", data=form, headers={"Origin": browser.base})


async def test_a_workbooks_sheets_are_offered_and_stay_until_another_file_is_understood(tmp_path: Path) -> None:
    async with entered(settings(tmp_path, upload_max=1 << 22)) as browser:
        seen = await browser.begin("june.xlsx", _book())
        key = seen.key
        assert re.findall(r'<option value="([^"]*)"(?: selected)?>(?:Notes|June|July|Empty|Old)', seen.text) == [
            "Notes", "June", "July &amp;b"
        ]  # fmt: skip
        assert '<option value="June" selected>' in seen.text
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        who = await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
        assert "1 message goes to people who may not want them" in who.text
        who = await browser.post(f"/c/{key}/who/filter", kind="skip", column="City", value="Davao")
        assert "1 message to send" in who.text

        july = await browser.post(f"/c/{key}/sheet/which", sheet="July &b")
        assert '<option value="Mobile" selected>' in july.text, "the column stays, which it has too"
        assert "this falls away: not where City is Davao" in july.text
        await browser.post(f"/c/{key}/sheet", numbers="Phone", country="")
        who = await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
        assert "1 message to send" in who.text
        assert "june.xlsx · July &amp;b" in who.text
        assert "639201234567" in (await browser.get(f"/c/{key}/price")).text

        assert (await browser.post(f"/c/{key}/sheet/which", sheet="May")).status == 422
        assert "Keep june.xlsx" in (await browser.get(f"/c/{key}/sheet/other")).text
        await _breaks_off(browser, key)
        for name, content, status in (("b.csv", b"%PDF-1.4 \0\0", 422), ("large.csv", b"to\n" * (2 << 20), 413)):
            assert (await browser.bring(f"/c/{key}/sheet/bring", name, content)).status == status
        assert '<option value="July &amp;b" selected>' in (await browser.get(f"/c/{key}/sheet")).text
        assert "639201234567" in (await browser.get(f"/c/{key}/price")).text
        brought = tmp_path / "page" / "campaigns" / key / "sheet"
        assert [each.name for each in brought.rglob("*.*") if not each.name.startswith("june.")] == []
        august = await browser.bring(f"/c/{key}/sheet/bring", "august.csv", SHEET)
        assert "august.csv" in august.text
        assert [each.name for each in brought.rglob("*.*")] == ["august.csv"]


@pytest.mark.long
async def test_what_was_rehearsed_is_sent_for_real_as_it_was_chosen(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key = (await browser.begin("june.csv", b"to\n639171234567\n")).key
        await browser.post(f"/c/{key}/sheet", numbers="to", country="")
        await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        for _ in range(2):  # as often as somebody likes
            price = await browser.post(f"/c/{key}/price/way", way="rehearse")
            await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
            rehearsed = await _ended(browser, key)
            assert "no phone got anything" in rehearsed
            assert "Would have cost" in rehearsed
            who = await browser.post(f"/c/{key}/real")
            assert "1 message to send" in who.text
        price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
        assert "Send 1 message for $0.02" in price.text
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        assert "Finished" in await _ended(browser, key)
        assert sandbox.summary().accepted == 1
        assert (await browser.post(f"/c/{key}/real")).status == 409


async def test_numbers_without_a_country_code_are_asked_about(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        asked = await browser.begin("june.csv", b"to\n639171234567\n0918 123 4567\n")
        key = asked.key
        assert "0918 123 4567 has no country code" in asked.text
        await browser.post(f"/c/{key}/sheet", numbers="to", country="")
        who = await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        assert "Numbers such as 0918 123 4567 have no country code" in who.text
        far = b"to\n" + b"639171234567\n" * 600 + b"0919 123 4567\n"
        await browser.bring(f"/c/{key}/sheet/bring", "far.csv", far)
        who = await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        assert "Numbers such as 0919 123 4567 have no country code" in who.text, "wherever they stand"
        await browser.bring(f"/c/{key}/sheet/bring", "june.csv", b"to\n639171234567\n0918 123 4567\n")
        await browser.post(f"/c/{key}/sheet", numbers="to", country="PH")
        who = await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        assert "2 messages to send" in who.text
        assert "have no country code" not in who.text


async def test_what_another_tab_chose_meanwhile_is_not_sent_unseen(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key = (await browser.begin("june.csv", b"Name,Mobile\nAna,639171234567\nBen,639181234567\n")).key
        await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
        seen = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
        await browser.post(f"/c/{key}/text", message="Bye {Name}", sender="ACME")  # as long, and at the same price
        refused = await browser.post(f"/c/{key}/send", agreed=seen.field("agreed"))
        assert refused.status == 409
        assert "look at it once more" in refused.text
        assert sandbox.summary().accepted == 0
        seen = await browser.get(f"/c/{key}/price")
        with holding(tmp_path) as held:
            planning = asyncio.create_task(
                browser.post(f"/c/{key}/who/filter", kind="skip", column="Name", value="Eve")
            )
            await held.begun()
        assert (await browser.post(f"/c/{key}/send", agreed=seen.field("agreed"))).status == 409
        held.let_go()
        await planning
        assert sandbox.summary().accepted == 0
