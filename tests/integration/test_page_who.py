"""Who gets it, on the page: filters, lists, repeats, history; rows to look at; bad rows mended and brought back."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from pages import Answer, Browser, entered, settings

from bulksend.engagespark import Sandbox, SandboxOptions

SHEET = (
    b"Name,Mobile,City\nAna,639171234567,Manila\nBen,639181234567,Cebu\nCyd,12,Manila\nAna,639171234567,Manila\n"
    b"Joe,12125550123,New York\n"
)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _sent(browser: Browser, sheet: bytes) -> None:
    """A campaign of the sheet is sent to its end."""
    key, _ = await _planned(browser, sheet)
    price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
    await browser.send(key, price)


async def _planned(browser: Browser, sheet: bytes = SHEET) -> tuple[str, Answer]:
    key = (await browser.begin("june.csv", sheet)).key
    await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
    who = await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
    assert who.path == f"/c/{key}/who"
    return key, who


async def test_filters_lists_and_repeats_leave_rows_out_each_with_its_count(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        key, who = await _planned(browser)
        assert "4 messages to send" in who.text
        who = await browser.post(f"/c/{key}/who/filter", kind="skip", column="City", value="manila")
        assert "2 messages to send" in who.text
        assert "not where City is manila" in who.text
        nobody = await browser.post(f"/c/{key}/who/filter", kind="only", column="City", value="Atlantis")
        assert "Nobody is left to send to" in nobody.text
        assert "See the price" not in nobody.text
        await browser.post(f"/c/{key}/who/filter/remove", place="only 0")
        who = await browser.post(f"/c/{key}/who/filter/remove", place="skip 0")
        assert "4 messages to send" in who.text
        who = await browser.bring(f"/c/{key}/who/list", "opted_out.csv", b"phone\n639181234567\n")
        assert "3 messages to send" in who.text
        assert "opted_out.csv" in who.text
        who = await browser.post(f"/c/{key}/who/choose", one_per_number="yes", countries="ph")
        assert "1 message to send" in who.text
        assert re.search(r'"number">1</th><td class="words">On the list of those to leave out', who.text)
        who = await browser.post(f"/c/{key}/who/list/remove", place="0")
        assert "2 messages to send" in who.text
        assert not [path for path in (tmp_path / "page").rglob("opted_out.csv") if path.is_file()]


async def test_what_cannot_be_used_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        key, _ = await _planned(browser)
        bad = await browser.bring(f"/c/{key}/who/list", "list.csv", b"phone\nnot known\n")
        assert bad.status == 422
        assert "list.csv" in bad.text
        assert str(tmp_path) not in bad.text
        assert not list((tmp_path / "page").rglob("list.csv"))
        assert (await browser.post(f"/c/{key}/who/choose", countries="Atlantis")).status == 422
        assert (await browser.post(f"/c/{key}/who/filter", kind="only", column="Nowhere", value="x")).status == 422
        assert "4 messages to send" in (await browser.get(f"/c/{key}/who")).text


async def test_rows_are_looked_at_searched_and_paged(tmp_path: Path) -> None:
    sheet = b"Name,Mobile\n" + b"".join(b"Person %d,63917%07d\n" % (number, number) for number in range(60))
    async with entered(settings(tmp_path)) as browser:
        key, _ = await _planned(browser, sheet)
        first = await browser.post(f"/c/{key}/rows", reason="pending")
        assert "Person 24" in first.text
        assert "Person 25" not in first.text
        after = re.search(r'name="after" value="(\d+)"', first.text)
        assert after
        assert "Person 25<" in (await browser.post(f"/c/{key}/rows", reason="pending", after=after[1])).text
        found = await browser.post(f"/c/{key}/rows", reason="pending", holds="+63 917 000-0042")
        assert "Person 42" in found.text
        assert found.text.count("<tr>") == 2
        assert "no such row" in (await browser.post(f"/c/{key}/rows", reason="invalid")).text


async def test_bad_rows_are_taken_away_mended_and_brought_as_a_campaign_of_their_own(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        key, who = await _planned(browser)
        assert "Rows that cannot be sent" in who.text
        taken = await browser.get(f"/c/{key}/to-mend.csv")
        (row,) = csv.DictReader(io.StringIO(taken.text.removeprefix("\ufeff")))
        assert row["Name"] == "Cyd"
        assert row["error"]
        mended = taken.text.replace("Cyd,12,", "Cyd,639191234567,")
        brought = await browser.bring(f"/c/{key}/mend", "mended.csv", mended.encode())
        assert brought.path == f"/c/{brought.key}/who"
        assert brought.key != key
        assert "1 message to send" in brought.text
        assert "Hi Cyd" in (await browser.get(f"/c/{brought.key}/price")).text
        assert "4 messages to send" in (await browser.get(f"/c/{key}/who")).text
        async with browser.session.get(f"{browser.base}/c/{key}/to-mend.xlsx") as answer:
            assert (await answer.read())[:2] == b"PK"


async def test_who_got_it_already_is_left_out_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        await _sent(browser, b"Name,Mobile\nAna,639171234567\n")
        key, who = await _planned(browser, b"Name,Mobile\nAna,639171234567\nBen,639181234567\n")
        assert "1 message to send" in who.text
        assert "1 row got this very text already: they are left out." in who.text
        who = await browser.post(f"/c/{key}/who/repeat", repeats="yes")
        assert "2 messages to send" in who.text
        assert "gets it again: 1 row." in who.text
        price = await browser.get(f"/c/{key}/price")
        await browser.send(key, price)
        assert sandbox.summary().accepted == 3


async def test_who_got_anything_lately_is_left_out_if_that_is_said(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        await _sent(browser, b"Name,Mobile\nAna,639171234567\n")
        key = (await browser.begin("july.csv", b"Name,Mobile\nAna,639171234567\nBen,639181234567\n")).key
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        who = await browser.post(f"/c/{key}/text", message="Hello {Name}", sender="ACME")
        assert "2 messages to send" in who.text
        assert "1 row got another text within 7 days." in who.text
        for wrong in ("0", "-1", "401", "a week"):
            assert (await browser.post(f"/c/{key}/who/more", not_within=wrong)).status == 422
        who = await browser.post(f"/c/{key}/who/more", not_within="7", exclude_dead="yes")
        assert "1 message to send" in who.text
        assert "got this very text already" not in who.text
        assert 'name="not_within" type="number" min="1" max="400" value="7"' in who.text
        price = await browser.get(f"/c/{key}/price")
        await browser.send(key, price)
        assert sandbox.summary().accepted == 2, "nor is Ana sent to when it is compared anew"


async def test_countries_are_chosen_by_their_names_one_after_another(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        key, who = await _planned(browser)
        assert '<option value="US">United States</option>' in who.text
        who = await browser.post(f"/c/{key}/who/choose", another="US")
        assert "1 message to send" in who.text
        assert 'name="countries" value="US" checked> United States' in who.text
        who = await browser.post(f"/c/{key}/who/choose", countries="US", another="PH")
        assert "4 messages to send" in who.text
        who = await browser.post(f"/c/{key}/who/choose", countries="PH", another="")
        assert "3 messages to send" in who.text
