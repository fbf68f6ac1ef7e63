"""Two tabs, or two campaigns of one sheet, on the page: nobody loses what he chose, or sends what he has not seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pages import Answer, Browser, entered, holding, settings

import bulksend
from bulksend import campaign
from bulksend.engagespark import Sandbox, SandboxOptions
from bulksend.runs import open_run

SHEET = b"Name,Mobile\nAna,639171234567\nBen,639181234567\n"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


class Silence:
    """An API that says nothing until it is let go: whoever plans waits there for the balance."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.over = asyncio.Event()

    async def hear(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        await self.over.wait()
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.hear, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _written(browser: Browser) -> str:
    key = (await browser.begin("june.csv", SHEET)).key
    await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
    await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
    return key


@asynccontextmanager
async def _planning(browser: Browser, silence: Silence, key: str) -> AsyncIterator[asyncio.Task[Answer]]:
    """While another tab plans it."""
    planning = asyncio.create_task(browser.post(f"/c/{key}/price/key", organization="7", key="k1"))
    async with asyncio.timeout(30):
        await silence.asked.wait()
    yield planning
    silence.over.set()
    await planning


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("most", {"most": "$5"}),
        ("caps", {"cap": "63=1/40", "cap_counts": "parts"}),
        ("time", {"start_at": "", "window": "mon-sun 03:00-03:01", "zone": "Asia/Manila"}),
    ],
)
async def test_a_limit_that_is_set_while_it_is_planned_is_refused_and_not_lost(
    tmp_path: Path, form: str, said: dict[str, str]
) -> None:
    silence = Silence()
    async with silence.listening() as address, entered(settings(tmp_path, base_url=address)) as browser:
        key = await _written(browser)
        async with _planning(browser, silence, key):
            assert (await browser.post(f"/c/{key}/price/{form}", **said)).status == 409
        assert (await browser.post(f"/c/{key}/price/{form}", **said)).path == f"/c/{key}/price"


async def test_a_campaign_that_is_removed_while_it_is_planned_stays_removed(tmp_path: Path, database: str) -> None:
    silence = Silence()
    async with silence.listening() as address:
        said = settings(tmp_path, base_url=address, database=database)
        async with entered(said) as browser:
            key = await _written(browser)
            async with _planning(browser, silence, key) as planning:
                assert (await browser.post(f"/c/{key}/remove")).path == "/"
            assert "no such campaign any more" in (await planning).text
            assert "june.csv" not in (await browser.get("/")).text
            assert not (tmp_path / "page" / "campaigns" / key).exists()


async def test_a_plan_that_takes_the_place_of_the_one_agreed_to_is_not_sent_unseen(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key = await _written(browser)
        price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
        with holding(tmp_path) as held:
            await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
            await held.begun()
        (run,) = (tmp_path / "page").rglob("*.run")
        of = bulksend.Campaign(run.with_suffix(".csv"), message="No", sender="ACME", columns={"to": "Mobile"})
        to = bulksend.Account(7, "k1", base_url=sandbox.base_url).address
        campaign.plan(of.request(to, lambda: None), run).close()
        with open_run(run) as planned:
            assert not planned.has_begun
        held.let_go()
        await browser.get(f"/c/{key}/sending/events")
        assert "look at it once more" in (await browser.get(f"/c/{key}/sending")).text
        assert sandbox.summary().accepted == 0


async def test_a_sheet_that_another_tab_chooses_while_the_send_begins_takes_nothing_from_it(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        (tmp_path / "sheets" / "july.csv").write_bytes(SHEET)
        key = await _written(browser)
        price = await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
        with holding(tmp_path) as held:
            choosing = asyncio.create_task(browser.post(f"/c/{key}/sheet/choose", file="july.csv"))
            await held.begun()
        await browser.send(key, price)
        held.let_go()
        assert (await choosing).path == f"/c/{key}/sending"
        assert "Finished" in (await browser.get(f"/c/{key}/sending")).text
        assert "june.csv" in (await browser.get("/")).text


async def test_a_double_click_sends_one_trial(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key = await _written(browser)
        await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
        said = {"row": "1", "phone": "+63 919 123 4567"}
        told = await asyncio.gather(*(browser.post(f"/c/{key}/price/trial", **said) for _ in range(2)))
        assert any("Row 1 was sent to 639191234567" in each.text for each in told)
        assert sandbox.summary().accepted == 1
        await browser.post(f"/c/{key}/price/trial", **said)
        assert sandbox.summary().accepted == 2, "who looks at it and asks again gets another"
