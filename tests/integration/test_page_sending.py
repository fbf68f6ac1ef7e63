"""Sending on the page: pause, go on, stop; its time is waited for; a send of others is seen; what comes after."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from pages import Answer, Browser, accepts_more, entered, settings

import bulksend
from bulksend.engagespark import Sandbox, SandboxOptions

MANY = b"to\n" + b"".join(b"63917%07d\n" % number for number in range(400))


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _priced(browser: Browser, sheet: bytes) -> tuple[str, Answer]:
    key = (await browser.begin("june.csv", sheet)).key
    await browser.post(f"/c/{key}/sheet", numbers="to", country="")
    await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
    return key, await browser.post(f"/c/{key}/price/key", organization="7", key="k1")


async def _events(browser: Browser, key: str) -> str:
    async with asyncio.timeout(30):
        return (await browser.get(f"/c/{key}/sending/events")).text


async def test_it_pauses_where_it_is_seen_and_goes_on_there(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7, latency_s=0.3)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser, MANY)
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        await accepts_more(sandbox)
        await browser.post(f"/c/{key}/sending/pause")
        told = await _events(browser, key)
        assert "event: says" in told
        paused = await browser.get(f"/c/{key}/sending")
        so_far = sandbox.summary().accepted
        assert so_far < 400
        assert "Nothing more is sent until you go on." in paused.text
        assert f"{so_far} of 400 sent" in paused.text
        await browser.post(f"/c/{key}/send", agreed=paused.field("agreed"))
        assert re.search(r"\d+ of 400 sent", await _events(browser, key)), "the figures are those of the whole run"
        assert "Finished" in (await browser.get(f"/c/{key}/sending")).text
        assert sandbox.summary().accepted == 400


async def test_what_is_paused_can_be_left_at_that(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7, latency_s=0.3)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser, MANY)
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        await accepts_more(sandbox)
        await browser.post(f"/c/{key}/sending/pause")
        await _events(browser, key)
        assert "Stopped early" in (await browser.post(f"/c/{key}/sending/stop")).text
        assert "It was stopped on request." in (await browser.get("/")).text


async def test_it_waits_for_its_hours_and_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, _ = await _priced(browser, b"to\n639171234567\n")
        hours = {"start_at": "tomorrow 09:00", "window": "", "zone": "Asia/Manila"}
        price = await browser.post(f"/c/{key}/price/time", **hours)
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        async with asyncio.timeout(30):
            while "It waits for its time" not in (await browser.get(f"/c/{key}/sending")).text:  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # until its child has begun
        waits = await browser.get(f"/c/{key}/sending")
        assert '<h1 id="heading">Waiting for its time</h1>' in waits.text, "for nothing is sent"
        await browser.post(f"/c/{key}/sending/stop")
        await _events(browser, key)
        assert "Ready to send" in (await browser.get(f"/c/{key}/sending")).text
        assert sandbox.summary().accepted == 0


async def test_a_key_that_is_refused_midway_is_asked_for_where_that_is_told(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7, fail=((401, 1.0),))) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser, b"to\n639171234567\n639171234568\n")
        await browser.send(key, price)
        refused = await browser.get(f"/c/{key}/sending")
        assert "The API refuses this key." in refused.text
        kept = await browser.post(f"/c/{key}/price/key", organization="7", key="k2")
        assert kept.path == f"/c/{key}/sending"
        assert "Go on: send" in kept.text
        assert [each.read_text() for each in (tmp_path / "page" / "keys").rglob("*.key")] == ["k2\n"]


async def test_a_send_of_another_process_is_seen_live_and_can_be_stopped(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7, latency_s=0.3)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        sheet = b"to\n" + b"".join(b"63917%07d\n" % number for number in range(4_000))
        key, _ = await _priced(browser, sheet)
        (run,) = (tmp_path / "page").rglob("*.run")
        account = bulksend.Account(7, "k1", base_url=sandbox.base_url)
        sending = asyncio.create_task(bulksend.send(run, account))
        await accepts_more(sandbox)
        seen = await browser.get(f"/c/{key}/sending")
        assert "Another window or a terminal sends it." in seen.text
        assert "Pause" not in seen.text
        watching = asyncio.create_task(_events(browser, key))
        await asyncio.sleep(1.5)
        await browser.post(f"/c/{key}/sending/stop")
        sent = await sending
        assert sent.stop is not None
        told = await watching
        assert re.search(r"[1-9][\d,]* of 4,000 sent", told)
        assert told.rstrip().endswith("data: over")
        assert "Stopped early" in (await browser.get(f"/c/{key}/sending")).text


async def test_what_was_not_sent_is_looked_at_and_mended(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser, b"to\n639171234567\n12\n")
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        await _events(browser, key)
        after = await browser.get(f"/c/{key}/sending")
        assert "Not sent, and why" in after.text
        assert "639171234567" in (await browser.post(f"/c/{key}/rows", reason="sent")).text
        taken = await browser.get(f"/c/{key}/to-mend.csv")
        mended = await browser.bring(
            f"/c/{key}/mend", "mended.csv", taken.text.replace("12,", "639181234567,").encode()
        )
        assert "1 message to send" in mended.text


async def test_receipts_are_asked_for_and_told(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser, b"to\n639171234567\n")
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        await _events(browser, key)
        assert "Did they arrive?" in (await browser.get(f"/c/{key}/sending")).text
        told = await browser.post(f"/c/{key}/receipts")
        assert "The API was asked" in told.text
        assert "<dt>Arrived</dt>" in told.text


async def test_the_report_is_a_download(tmp_path: Path) -> None:
    pytest.importorskip("lets_plot")
    async with entered(settings(tmp_path)) as browser:
        key, _ = await _priced(browser, b"to\n639171234567\n")
        price = await browser.post(f"/c/{key}/price/way", way="rehearse")
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        await _events(browser, key)
        async with browser.session.get(f"{browser.base}/c/{key}/report.html") as answer:
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert "<html" in await answer.text()
