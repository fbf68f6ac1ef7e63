"""Price and time on the page: limits, hours, what is to be written before much is spent, and a trial."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from pages import Answer, Browser, entered, settings

from bulksend.engagespark import Sandbox, SandboxOptions
from bulksend.runs import open_run

SHEET = b"Name,Mobile\nAna,639171234567\nBen,639181234567\n"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _priced(browser: Browser, sheet: bytes = SHEET, message: str = "Hi {Name}") -> tuple[str, Answer]:
    key = (await browser.begin("june.csv", sheet)).key
    await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
    await browser.post(f"/c/{key}/text", message=message, sender="ACME")
    return key, await browser.post(f"/c/{key}/price/key", organization="7", key="k1")


async def test_it_is_sent_in_its_hours_which_the_run_keeps(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, _ = await _priced(browser)
        said = {"start_at": "2099-12-24T09:00", "window": "", "zone": "Asia/Manila"}
        assert (await browser.post(f"/c/{key}/price/time", **said)).status == 422, "that is too far away"
        bad = await browser.post(f"/c/{key}/price/time", start_at="", window="25:00", zone="")
        assert bad.status == 422
        hour = f"{(datetime.now(ZoneInfo('Asia/Manila')).hour + 12) % 24:02}"
        said = {"start_at": "", "window": f"mon-sun {hour}:00-{hour}:01", "zone": "Asia/Manila"}
        price = await browser.post(f"/c/{key}/price/time", **said)
        assert re.search(rf"<dt>Begins</dt><dd>\d{{4}}-\d\d-\d\d {hour}:00 \(Asia/Manila\)", price.text)
        (run,) = (tmp_path / "page").rglob("*.run")
        with open_run(run) as kept:
            assert str(kept.times.schedule.windows.each[0]).startswith(f"{hour}:00-{hour}:01")
        await browser.post(f"/c/{key}/who/repeat", repeats="no")
        assert f"{hour}:00 (Asia/Manila)" in (await browser.get(f"/c/{key}/price")).text, "planned anew, it is kept"
        assert "Begins" not in (await browser.post(f"/c/{key}/price/time", start_at="", window="", zone="")).text


async def test_a_moment_that_has_passed_meanwhile_is_told_and_holds_up_nothing(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, _ = await _priced(browser)
        file = tmp_path / "page" / "campaigns" / key / "draft.json"
        file.write_bytes(orjson.dumps(orjson.loads(file.read_bytes()) | {"start_at": "2020-01-01T09:00"}))
        who = await browser.post(f"/c/{key}/text", message="Hi again", sender="ACME")
        assert who.path == f"/c/{key}/who"
        assert "It would be sent at once" in who.text
        assert "Begins" not in (await browser.get(f"/c/{key}/price")).text


async def test_it_stops_before_it_costs_more_than_it_may(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, _ = await _priced(browser)
        assert (await browser.post(f"/c/{key}/price/most", most="much")).status == 422
        price = await browser.post(f"/c/{key}/price/most", most="$0.02")
        assert "it will stop before its end" in price.text
        await browser.send(key, price)
        assert "Stopped early" in (await browser.get(f"/c/{key}/sending")).text
        assert sandbox.summary().accepted == 1


async def test_much_money_is_spent_only_when_somebody_writes_the_amount(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url, confirm_above=30_000)) as browser,
    ):
        key, price = await _priced(browser)
        assert "To confirm, write $0.04" in price.text
        for written in ("", "0.4", "yes"):
            refused = await browser.post(f"/c/{key}/send", agreed=price.field("agreed"), written=written)
            assert refused.status == 409
            assert f'href="/c/{key}/price">Back to this campaign' in refused.text
        assert sandbox.summary().accepted == 0
        sent = await browser.post(f"/c/{key}/send", agreed=price.field("agreed"), written=" 0.04")
        assert sent.status == 200
        await browser.get(f"/c/{key}/sending/events")
        assert sandbox.summary().accepted == 2


async def test_what_has_no_known_price_is_written_as_so_many_messages(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        _, price = await _priced(browser, b"Name,Mobile\nJoe,12125550123\n")
        assert "To confirm, write 1<" in price.text


async def test_a_row_goes_to_ones_own_phone_and_is_no_part_of_the_campaign(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, _ = await _priced(browser)
        tried = await browser.post(f"/c/{key}/price/trial", row="2", phone="+63 919 123 4567")
        assert "Row 2 was sent to 639191234567 for $0.02" in tried.text
        assert "Hi Ben" in tried.text
        assert sandbox.summary().accepted == 1
        again = await browser.get(f"/c/{key}/price")
        assert "was sent to" not in again.text
        assert "Send 2 messages" in again.text
        bad = await browser.post(f"/c/{key}/price/trial", row="1", phone="nobody")
        assert "nobody: " in bad.text
        assert sandbox.summary().accepted == 1


async def test_the_text_that_is_being_written_goes_to_ones_own_phone_once_the_account_is_known(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key = (await browser.begin("june.csv", SHEET)).key
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        said = {"message": "Hi {Name}", "sender": "ACME", "trial_row": "2", "phone": "+63 919 123 4567"}
        assert "At the step Price, once the account is known" in (await browser.get(f"/c/{key}/text")).text
        assert (await browser.post(f"/c/{key}/text/trial", **said)).status == 422
        await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        await browser.post(f"/c/{key}/price/key", organization="7", key="k1")
        assert "Send a row to my phone" in (await browser.get(f"/c/{key}/text")).text
        tried = await browser.post(f"/c/{key}/text/trial", **said | {"message": "Hello {Name}"})
        assert tried.path == f"/c/{key}/text"
        assert "Row 2 was sent to 639191234567 for $0.02" in tried.text
        assert "Hello {Name}" in tried.text, "the text is kept that was sent"
        assert "was sent to" not in (await browser.get(f"/c/{key}/text")).text, "it is told once"
        kept = await browser.post(f"/c/{key}/text/trial", trial_row="1", phone="+63 919 123 4567")
        assert "Row 1 was sent to 639191234567 for $0.02" in kept.text
        assert "Hello {Name}" in kept.text
        slip = await browser.post(f"/c/{key}/text/trial", **said | {"message": "Hi {Nmae}"})
        assert slip.status == 422
        assert "did you mean {Name}" in slip.text
        assert sandbox.summary().accepted == 2


async def test_what_a_telco_lets_through_to_a_phone_can_be_said(tmp_path: Path) -> None:
    sheet = SHEET + b"Ana,639171234567\n" * 2
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, _ = await _priced(browser, sheet)
        wrong = await browser.post(f"/c/{key}/price/caps", cap="63=5", cap_counts="parts")
        assert wrong.status == 422
        price = await browser.post(f"/c/{key}/price/caps", cap="63=1/40", cap_counts="messages")
        assert "1 min 20 s at least, because a phone gets several" in price.text
        assert '<option value="messages" selected>' in price.text
        await browser.post(f"/c/{key}/price/caps", cap="63=1/2", cap_counts="parts")
        for _ in range(2):
            await browser.post(f"/c/{key}/price/trial", row="1", phone="639209999999")
        price = await browser.post(f"/c/{key}/price/caps", cap="63=1/1", cap_counts="parts")
        await browser.send(key, price)
        async with browser.session.get(f"{sandbox.base_url}/sandbox/log") as answer:
            log = [orjson.loads(line) for line in (await answer.text()).splitlines()]
        for phone, count, apart_s in (("639171234567", 3, 1), ("639209999999", 2, 2)):  # which got trials
            got = sorted(each["arrived"] for each in log if each["to"] == phone)
            assert len(got) == count
            assert all(after - before >= apart_s for before, after in pairwise(got))


async def test_plain_characters_are_written_for_typographic_ones_where_that_is_said(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser, message="It\u2019s {Name}")
        assert "It\u2019s Ana" in price.text
        for gsm, says in (("", "8 of 70 characters"), ("yes", "8 of 160 characters")):
            seen = await browser.post(f"/c/{key}/text/preview", message="It\u2019s {Name}", row="1", gsm=gsm)
            assert says in seen.text
        await browser.post(f"/c/{key}/text", message="It\u2019s {Name}", sender="ACME", gsm="yes")
        assert "It&#39;s Ana" in (await browser.get(f"/c/{key}/price")).text
        assert re.search(r'id="gsm"[^>]* checked', (await browser.get(f"/c/{key}/text")).text)


async def test_a_key_that_is_refused_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    async with (
        Sandbox(SandboxOptions(token="another", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        key, price = await _priced(browser)
        assert "The API refuses this key" in price.text
        assert "Send 2 messages" not in price.text, "it is asked for again first"
        assert 'type="password"' in price.text
        price = await browser.post(f"/c/{key}/price/key", organization="7", key="another")
        assert "refuses this key" not in price.text
        assert "Send 2 messages" in price.text


async def test_the_longest_and_the_dearest_message_can_be_looked_at(tmp_path: Path) -> None:
    rows = b"".join(b"P%d,63917%07d\n" % (number, number) for number in range(8)) + b"%s,639181234567\n" % (b"y" * 300)
    async with (
        Sandbox(SandboxOptions(token="k1", org_id=7)) as sandbox,
        entered(settings(tmp_path, base_url=sandbox.base_url)) as browser,
    ):
        _, price = await _priced(browser, b"Name,Mobile\n" + rows)
        assert "The longest message" in price.text
        longest = re.search(r'href="(/c/\w+/price)\?row=(\d+)">The longest', price.text)
        assert longest
        assert longest[2] == "9"
        assert "y" * 300 in (await browser.get(f"{longest[1]}?row=9")).text
