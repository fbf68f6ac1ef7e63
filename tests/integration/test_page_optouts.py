"""The list of who opted out, on the page: the same list, and the same rules, as on the command line."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from pages import Answer, Browser, entered, settings

from bulksend.model import ContactId, PhoneNumber
from bulksend.runs import Address, optouts_of

SERVER = "http://127.0.0.1:9"  # never asked
ACCOUNT = Address(7, SERVER)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _known(browser: Browser) -> tuple[str, Answer]:
    """A campaign whose account is known."""
    key = (await browser.begin("june.csv", b"to\n639171234567\n639181234567\n")).key
    await browser.post(f"/c/{key}/sheet", numbers="to", country="PH")
    await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
    return key, await browser.post(f"/c/{key}/price/key", organization="7", key="k1")


def _numbers(seen: Answer) -> list[str]:
    return re.findall(r'<th scope="row"><bdi>([^<]*)</bdi>', seen.text)


async def test_somebody_is_added_and_gets_nothing_from_the_next_plan_on(tmp_path: Path) -> None:
    async with entered(settings(tmp_path, base_url=SERVER)) as browser:
        nobodys = await browser.get("/optouts")
        assert "Whose list it is is only known once the account is" in nobodys.text
        key, _ = await _known(browser)
        who = await browser.get(f"/c/{key}/who")
        assert f'href="/optouts?campaign={key}"' in who.text
        seen = await browser.get(f"/optouts?campaign={key}")
        assert "Nobody has opted out." in seen.text
        assert f'href="/c/{key}/who"' in seen.text
        assert '<option value="PH" selected>Philippines' in seen.text
        bad = await browser.post("/optouts/add", number="0917", country="PH", reason="by phone", campaign=key)
        assert bad.status == 422
        assert "is no phone number" in bad.text
        assert 'value="by phone"' in bad.text, "what was written stays"
        added = await browser.post(
            "/optouts/add", number="0917 123 4567", country="PH", reason="<b>by phone", campaign=key
        )
        assert "0917 123 4567 gets nothing more." in added.text
        assert "&lt;b&gt;by phone" in added.text
        assert f'href="/c/{key}/who"' in added.text
        again = await browser.post("/optouts/add", number="+63 917 123 4567", country="", reason="")
        assert "was on the list already" in again.text
        with optouts_of(None, ACCOUNT) as kept:
            assert [(each.recipient, each.reason) for each in kept.all()] == [("639171234567", "<b>by phone")]
        who = await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        assert "1 message to send" in who.text


async def test_somebody_is_taken_off_only_when_that_is_confirmed(tmp_path: Path) -> None:
    with optouts_of(None, ACCOUNT) as list_of:
        list_of.add([PhoneNumber("639171234567"), ContactId(12)], "", time.time())
    async with entered(settings(tmp_path, base_url=SERVER)) as browser:
        await _known(browser)
        assert _numbers(await browser.get("/optouts")) == ["contact 12", "639171234567"], "the newest first"
        asked = await browser.post("/optouts/remove", who="639171234567")
        assert "Take 639171234567 off the list?" in asked.text
        assert _numbers(await browser.get("/optouts")) == ["contact 12", "639171234567"]
        removed = await browser.post("/optouts/remove", who="639171234567", sure="yes")
        assert "639171234567 was taken off the list." in removed.text
        assert _numbers(removed) == ["contact 12"]
        assert (
            "not on the list any more" in (await browser.post("/optouts/remove", who="639171234567", sure="yes")).text
        )
        assert _numbers(await browser.post("/optouts/remove", who="contact 12", sure="yes")) == []
        for strange in ("", "contact x", "<script>", "9" * 40, "٣"):
            assert (await browser.post("/optouts/remove", who=strange)).status == 400


async def test_a_long_list_is_searched_and_only_its_newest_are_shown(tmp_path: Path) -> None:
    with optouts_of(None, ACCOUNT) as list_of:
        list_of.add([PhoneNumber(f"63917{number:07}") for number in range(120)], "the fair", time.time())
        list_of.add([PhoneNumber("639189999999")], "by letter", time.time())
    async with entered(settings(tmp_path, base_url=SERVER)) as browser:
        await _known(browser)
        first = await browser.get("/optouts")
        assert _numbers(first)[:2] == ["639189999999", "639170000119"]
        assert "The 50 newest of 121" in first.text
        found = await browser.post("/optouts", holds="+63 917 000-0042")
        assert _numbers(found) == ["639170000042"]
        assert _numbers(await browser.post("/optouts", holds="LETTER")) == ["639189999999"]
        assert "Nobody of that kind" in (await browser.post("/optouts", holds="nobody")).text
