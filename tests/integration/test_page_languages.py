"""The page speaks the language that the browser asks for, or that somebody chose."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import Browser, entered, outside, settings

from bulksend.web import PageServer
from bulksend.web.languages import page_of


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def _in(browser: Browser, asked: str) -> str:
    async with browser.session.get(f"{browser.base}/", headers={"Accept-Language": asked}) as answer:
        return await answer.text()


async def test_the_browser_says_which(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        for asked in ("fil", "tl-PH,en;q=0.5", "de, en;q=0.3, fil-PH;q=0.9"):
            text = await _in(browser, asked)
            assert '<html lang="fil">' in text
            assert "Bagong campaign" in text
        for asked in ("", "en-PH,fil;q=0.8", "de-DE", "fil;q=x,en", "fil;q=0.2,,;q=;,en;q=0.3"):
            text = await _in(browser, asked)
            assert '<html lang="en">' in text, asked
            assert "New campaign" in text


async def test_somebody_goes_the_whole_way_in_filipino(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        chosen = await browser.post("/language", language="fil", back="/")
        assert "Bagong campaign" in chosen.text
        asked = await browser.begin("june.csv", b"Name,Mobile,Phone\nAna,639171234567,1\nBen,639181234567,2\n")
        key = asked.key
        assert "Piliin ang column sa ibaba." in asked.text
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        seen = await browser.post(f"/c/{key}/text/preview", message="Hi {Name}", row="2")
        assert "6 sa 160 karakter, 1 bahagi ng SMS" in seen.text
        who = await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
        assert "2 mensahe ang ipadadala" in who.text
        english = await browser.post("/language", language="en", back=f"/c/{key}/who")
        assert english.path == f"/c/{key}/who"
        assert "2 messages to send" in english.text
        await browser.post("/language", language="fil", back=f"/c/{key}/who")
        price = await browser.post(f"/c/{key}/price/way", way="rehearse")
        assert "I-rehearse ang 2 mensahe" in price.text
        tried = await browser.post(f"/c/{key}/price/trial", row="1", phone="09171234567")
        assert "isulat ang 63917" in tried.text
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        told = await browser.get(f"/c/{key}/sending/events")
        assert "2 sa 2 ang naipadala" in told.text
        after = await browser.get(f"/c/{key}/sending")
        assert "Tapos na" in after.text
        assert "walang phone na nakatanggap" in after.text


async def test_what_is_asked_of_another_process_is_told_in_the_same_language(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        await browser.post("/language", language="fil", back="/")
        key = (await browser.begin("june.csv", b"to\n639171234567\n")).key
        wrong = await browser.post(f"/c/{key}/text", message="", sender="ACME")
        assert wrong.status == 422
        assert "sumulat ng isa para sa lahat ng row" in wrong.text


async def test_a_choice_is_a_form_of_ours_and_leads_to_our_own_pages_alone(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        assert (await browser.post("/language", csrf="x", language="fil", back="/")).status == 403
        assert (await browser.post("/language", language="../en", back="/")).status == 400
        leads = await browser.post("/language", language="en", back="//evil.example/c/a/text")
        assert leads.path == "/"
    for back in ("https://evil.example", "//evil.example", "/c/../text", "/c/a/b/../../x", "/c/a%0d/text", ""):
        assert page_of(back) == "/"
    assert page_of("/c/0123456789abcdef/price/time") == "/c/0123456789abcdef/price"


async def test_who_did_not_enter_gets_no_form_of_ours(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path)) as server, outside(server) as browser:
        refused = await browser.get("/")
        assert refused.status == 401
        assert "csrf" not in refused.text.replace('"X-CSRF-Token": ""', "").lower()
