"""The page on a database: it shows the runs there, and workers send them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
from pages import Browser, entered, settings

import bulksend
from bulksend import campaign
from bulksend.campaign import Post
from bulksend.engagespark import Sandbox, SandboxOptions
from bulksend.python import SendOptions
from bulksend.runs import DatabaseRun
from bulksend.sending import Stopping

SHEET = b"Name,Mobile\nAna,639171234567\nBen,639181234567\nCyd,12\n"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _until(browser: Browser, key: str, says: str) -> None:
    async with asyncio.timeout(30):
        while says not in (await browser.get(f"/c/{key}/sending")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _left_to_workers(browser: Browser, sheet: bytes) -> str:
    key = (await browser.begin("june #1.csv", sheet)).key
    await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
    await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
    price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
    assert "Workers send it" in price.text
    await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
    await _until(browser, key, "left to workers")
    return key


async def _work(database: str, base_url: str) -> int:
    target = bulksend.Account(7, "k1", base_url=base_url).target("contact")
    assert target is not None
    post = Post(database, target, 10.0, until_done=True)
    return await campaign.work(post, SendOptions().settled(), Stopping(), lambda _: None)


async def test_workers_send_what_was_chosen_on_the_page(tmp_path: Path, database: str) -> None:
    async with Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url, database=database)
        async with entered(said) as browser:
            key = await _left_to_workers(browser, SHEET)
            assert sandbox.summary().accepted == 0, "nobody but a worker sends it"
            assert "Left to workers" in (await browser.get("/")).text
        async with entered(said) as browser:  # they need no page
            seen = await browser.get(f"/c/{key}/sending")
            assert "none is at work on it" in seen.text
            assert "Pause" not in seen.text
            watching = asyncio.create_task(browser.get(f"/c/{key}/sending/events"))
            assert await _work(database, sandbox.base_url) == 2
            assert (await watching).text.rstrip().endswith("data: over")
            after = (await browser.get(f"/c/{key}/sending")).text
            assert "Finished" in after
            assert "<dt>sent</dt><dd>2</dd>" in after
            assert "Hi Ben" in (await browser.post("/find", number="+639181234567")).text
            async with browser.session.get(f"{browser.base}/c/{key}/results.csv") as answer:
                assert f"-{key}.results.csv" in answer.headers["Content-Disposition"]
                assert "Hi Ana" in await answer.text()
        assert sandbox.summary().accepted == 2


@pytest.mark.long
async def test_a_run_that_workers_have_is_stopped_and_goes_on(tmp_path: Path, database: str) -> None:
    sheet = b"Name,Mobile\n" + b"".join(b"Ana,63917%07d\n" % number for number in range(2_000))
    async with Sandbox(SandboxOptions(token="k1", org_id=7, latency_s=0.2)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url, database=database)
        async with entered(said) as browser:
            key = await _left_to_workers(browser, sheet)
            working = asyncio.create_task(_work(database, sandbox.base_url))
            await _until(browser, key, "At work on it: 1 worker")
            async with asyncio.timeout(30):
                while not sandbox.summary().accepted:  # noqa: ASYNC110 -- the server tells nobody
                    await asyncio.sleep(0.05)
            await browser.post(f"/c/{key}/sending/stop")
            sent = await working
            assert 0 < sent < 2_000
            stopped = await browser.get(f"/c/{key}/sending")
            assert f"Go on: send {2_000 - sent:,} messages" in stopped.text
            await browser.post(f"/c/{key}/send", agreed=stopped.field("agreed"))
            await _until(browser, key, "left to workers")
            await _work(database, sandbox.base_url)
            assert "Finished" in (await browser.get(f"/c/{key}/sending")).text
        assert sandbox.summary().accepted == 2_000


async def test_runs_of_others_there_are_seen_and_a_rehearsal_stays_here(tmp_path: Path, database: str) -> None:
    async with Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url, database=database)
        (tmp_path / "may.csv").write_bytes(SHEET)
        of = bulksend.Campaign(tmp_path / "may.csv", message="Hi", sender="ACME", columns={"to": "Mobile"})
        to = bulksend.Account(7, "k1", base_url=sandbox.base_url).address
        campaign.plan(of.request(to, lambda: None), DatabaseRun(database, "may")).close()
        async with entered(said) as browser:
            assert "may.csv" in (await browser.get("/")).text
            opened = await browser.post("/campaigns/open", place=f"{database}#may")
            assert opened.path == f"/c/{opened.key}/price", "what has not begun is looked at first"
            key = (await browser.begin("june.csv", SHEET)).key
            await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
            await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
            price = await browser.post(f"/c/{key}/price/way", way="rehearse")
            await browser.send(key, price)
            assert "no phone got anything" in (await browser.get(f"/c/{key}/sending")).text
            assert "june.csv" in (await browser.get("/")).text
        assert _names(database) == ["may"], "neither a rehearsal nor the plan that was made before it"


async def test_a_plan_that_nobody_wants_any_more_leaves_the_database(tmp_path: Path, database: str) -> None:
    async with Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url, database=database)
        async with entered(said) as browser:
            key = (await browser.begin("june.csv", SHEET)).key
            await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
            await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
            assert _names(database) == [f"june-{key}"]
            await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="PH")
            assert _names(database) == [], "it is chosen anew"
            await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
            listed = await browser.get("/")
            assert f"/c/{key}/remove" in listed.text
            await browser.post(f"/c/{key}/remove")
            assert _names(database) == []
            assert "june.csv" not in (await browser.get("/")).text


async def test_a_run_that_is_left_to_workers_or_was_sent_is_never_removed(tmp_path: Path, database: str) -> None:
    async with Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox:
        said = settings(tmp_path, base_url=sandbox.base_url, database=database)
        async with entered(said) as browser:
            key = await _left_to_workers(browser, SHEET)
            (name,) = _names(database)
            assert not campaign.remove_plan(DatabaseRun(database, name))
            assert f"/c/{key}/remove" not in (await browser.get("/")).text
            await browser.post(f"/c/{key}/remove")
            assert await _work(database, sandbox.base_url) == 2, "it is open as before"
            assert not campaign.remove_plan(DatabaseRun(database, name))
            await browser.post(f"/c/{key}/remove")
        assert _names(database) == [name]


def _names(database: str) -> list[str]:
    with psycopg.connect(database) as db:
        return sorted(name for (name,) in db.execute("SELECT name FROM bulksend.run WHERE name IS NOT NULL"))
