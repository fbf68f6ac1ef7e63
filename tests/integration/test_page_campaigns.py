"""All campaigns on the page, searched; and what a phone got."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pages import Browser, entered, settings

import bulksend
from bulksend.engagespark import Sandbox, SandboxOptions


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _sent(browser: Browser, name: str) -> None:
    key = (await browser.begin(name, b"to\n639171234567\n12\n")).key
    await browser.post(f"/c/{key}/sheet", numbers="to", country="")
    await browser.post(f"/c/{key}/text", message=f"Hi from {name}", sender="ACME")
    price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
    await browser.send(key, price)


async def test_campaigns_are_found_by_name_and_state(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        await browser.begin("june.csv", b"to\n639171234567\n")
        await browser.begin("may.csv", b"to\n639171234567\n")
        june = (await browser.get("/?name=JUNE planned")).text
        assert "june.csv" in june
        assert "may.csv" not in june
        assert "No campaign is called that." in (await browser.get("/?name=april")).text


@pytest.mark.long
async def test_what_a_phone_got_is_found_whatever_the_campaign(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        await _sent(browser, "june.csv")
        await _sent(browser, "may.csv")
        found = await browser.post("/find", number="0917 123 4567", country="ph")
        assert "Hi from june.csv" in found.text
        assert "Hi from may.csv" in found.text
        assert "Looked at: 2 runs." in found.text
        assert "0917" not in found.path
        assert str(tmp_path) not in found.text
        assert "Nothing went to this phone" in (await browser.post("/find", number="+639181112222")).text
        assert (await browser.post("/find", number="nobody")).status == 422


async def test_what_was_planned_elsewhere_is_sent_as_it_is(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url)
        sheet = said.folder / "june.csv"
        sheet.write_text("to,City\n639171234567,Manila\n639181234567,Cebu\n")
        campaign = bulksend.Campaign(sheet, message="Hi", sender="ACME", skip={"City": "Cebu"})
        planned = await bulksend.plan(campaign, bulksend.Account(7, "k1", base_url=sandbox.base_url))
        async with entered(said) as browser:
            opened = await browser.post("/campaigns/open", place=str(planned.place))
            assert opened.path == f"/c/{opened.key}/price", "what has not begun is looked at first"
            key = opened.key
            for step in ("sheet", "text", "who"):
                assert (await browser.get(f"/c/{key}/{step}")).path == f"/c/{key}/price"
            await browser.post(f"/c/{key}/who/filter", kind="skip", column="City", value="Manila")
            price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
            assert "is sent as it was planned" in price.text
            assert "Send 1 message for $0.02" in price.text
            await browser.send(key, price)
            assert "Finished" in (await browser.get(f"/c/{key}/sending")).text
            mended = await browser.bring(f"/c/{key}/mend", "mended.csv", b"to,City\n639191234567,Manila\n")
            assert "1 message to send" in mended.text
            assert "Hi" in (await browser.get(f"/c/{mended.key}/text")).text
        assert sandbox.summary().accepted == 1


async def test_a_campaign_of_the_current_folder_stands_in_the_list_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = settings(tmp_path)
    (said.folder / "june.csv").write_text("to\n639171234567\n")
    monkeypatch.chdir(said.folder)
    async with entered(replace(said, folder=Path())) as browser:
        key = (await browser.post("/campaigns")).key
        await browser.post(f"/c/{key}/sheet/choose", file="june.csv")
        await browser.post(f"/c/{key}/sheet", numbers="to", country="")
        await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        listed = (await browser.get("/")).text
        assert listed.count("june.csv") == 1
        assert "Ready to send" in listed
