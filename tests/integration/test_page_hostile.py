"""What comes to the page from elsewhere is text and bounded, and what is no request is told nothing."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import reduce
from itertools import repeat
from pathlib import Path

import pytest
from aiohttp import web
from pages import Answer, Browser, entered, settings

from bulksend.model import PhoneNumber
from bulksend.runs import Address, optouts_of
from bulksend.web.guarding import HEADERS

BAD = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202egnp.exe'
PAGE_MAX = 100_000  # characters


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


def harmless(answer: Answer) -> bool:
    """Whether a page holds nothing of what was hostile but text, and not too much of it."""
    found = [each for each in ("<script>alert", "<img", "Traceback") if each in answer.text]
    assert not found, answer.text[:2_000]
    assert "\u202e" not in re.sub(r"<[^>]*>", "", answer.text), "nothing that is seen turns the text"
    assert len(answer.text) < PAGE_MAX
    return True


@asynccontextmanager
async def api(status: int, body: str, content_type: str) -> AsyncIterator[str]:
    """An API that says the same to whatever it is asked; its address."""

    async def says(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", says)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def priced(browser: Browser, sheet: bytes) -> tuple[str, Answer]:
    key = (await browser.begin("june.csv", sheet)).key
    await browser.post(f"/c/{key}/sheet", numbers="to", country="")
    await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
    return key, await browser.post(f"/c/{key}/price/key", organization="7", key="k1-secret")


@pytest.mark.parametrize(
    ("body", "content_type", "what"),
    [
        (json.dumps({"error": BAD, "message": BAD, "balance": BAD, "messages": [BAD]}), "application/json", "Not sent"),
        (f"<html><body>{BAD}</body></html>", "text/html", "Not sent or in doubt"),
        (json.dumps({"error": BAD + "x" * 10_000_000}), "application/json", "Not sent or in doubt"),
    ],
    ids=["json", "html", "10 MB"],
)
async def test_what_the_api_says_is_text(tmp_path: Path, body: str, content_type: str, what: str) -> None:
    async with (
        api(400, body, content_type) as base_url,
        entered(settings(tmp_path, base_url=base_url)) as browser,
    ):
        key, price = await priced(browser, b"to\n639171234567\n")
        assert harmless(price)
        assert harmless(await browser.post(f"/c/{key}/price/trial", row="1", phone="+639170000001"))
        price = await browser.get(f"/c/{key}/price")
        await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        assert harmless(await browser.get(f"/c/{key}/sending/events"))
        after = await browser.get(f"/c/{key}/sending")
        assert harmless(after)
        assert f"{what}, and why" in after.text
        assert harmless(await browser.post(f"/c/{key}/rows", reason="rejected", holds=""))
        assert harmless(await browser.post("/find", number="+639171234567", country=""))
        assert harmless(await browser.get("/"))
        assert "k1-secret" not in after.text


@pytest.mark.long
async def test_a_balance_that_is_none_is_no_fault_of_the_page(tmp_path: Path) -> None:
    for body in (BAD, "[]", '{"balance": 1e400}', "x" * 10_000_000):
        async with api(200, body, "application/json") as base_url:
            async with entered(settings(tmp_path, base_url=base_url)) as browser:
                _, price = await priced(browser, b"to\n639171234567\n")
            assert price.status == 200
            assert harmless(price)


@pytest.mark.long
async def test_cells_of_ten_megabytes_are_cut(tmp_path: Path) -> None:
    cell = BAD.replace('"', '""') + "y" * 10_000_000
    sheet = f'to,Name\n639171234567,"{cell}"\n639181234567,Ben\n'.encode()
    async with entered(settings(tmp_path)) as browser:
        answer = await browser.begin("june.csv", sheet)
        assert harmless(answer)
        key = answer.key
        assert harmless(await browser.post(f"/c/{key}/sheet", numbers="to", country=""))
        assert harmless(await browser.post(f"/c/{key}/text/preview", message="Hi {Name}", row="1"))
        assert harmless(await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME"))
        assert harmless(await browser.post(f"/c/{key}/rows", reason="", holds=""))
        assert harmless(await browser.get(f"/c/{key}/price?row=1"))


async def test_names_of_a_hundred_thousand_characters_are_cut(tmp_path: Path) -> None:
    sheet = f'to,"{BAD.replace(chr(34), chr(34) * 2)}{"z" * 100_000}"\n639171234567,Ana\n'.encode()
    async with entered(settings(tmp_path)) as browser:
        answer = await browser.begin("june.csv", sheet)
        assert harmless(answer)
        await browser.post(f"/c/{answer.key}/sheet", numbers="to", country="")
        assert harmless(await browser.get(f"/c/{answer.key}/text"))
        await browser.post(f"/c/{answer.key}/text", message="Hi", sender="ACME")
        assert harmless(await browser.get(f"/c/{answer.key}/who"))


async def test_a_run_of_the_folder_with_a_hostile_name_is_only_named(tmp_path: Path) -> None:
    said = settings(tmp_path)
    (said.folder / "<img src=x>\u202e.run").write_bytes(b"no run")
    (said.folder / "<img src=x>\u202e.csv").write_bytes(b"to\n639171234567\n")
    async with entered(said) as browser:
        assert harmless(await browser.get("/"))
        begun = await browser.post("/campaigns")
        assert harmless(begun)
        assert harmless(await browser.post("/campaigns/open", place="<img src=x>\u202e.run"))


SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>',
    b"</sheetData></worksheet>",
)


def bomb(size: int) -> bytes:
    """A workbook whose only sheet is so many bytes of nothing."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        )
        book.writestr(
            "xl/workbook.xml",
            '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
            '<sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            'worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        add_nothing(book, "xl/worksheets/sheet1.xml", size >> 20)
    return kept.getvalue()


def add_nothing(book: zipfile.ZipFile, name: str, megabytes: int) -> None:
    """Add a sheet of spaces, of which one megabyte is packed and then repeated: to pack two gigabytes takes long."""
    begin, nothing, end = (SHEET[0], b" " * (1 << 20), SHEET[1])
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    first, again, last = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for piece in (begin, nothing, end))
    part = zipfile.ZipInfo(name)
    with book.open(part, "w") as sheet:
        sheet.write(first + again * megabytes + last + packer.flush())
    part.compress_type, part.file_size = zipfile.ZIP_DEFLATED, len(begin) + (megabytes << 20) + len(end)
    part.CRC = reduce(lambda before, piece: zlib.crc32(piece, before), [begin, *repeat(nothing, megabytes), end], 0)


@pytest.mark.long
async def test_a_workbook_that_unpacks_without_end_is_refused_in_a_sentence(tmp_path: Path) -> None:
    content = bomb(2_100 << 20)
    assert len(content) < 8 << 20
    async with entered(settings(tmp_path)) as browser:
        answer = await browser.begin("june.xlsx", content)
        assert answer.status == 422
        assert harmless(answer)
        assert "june.xlsx" in answer.text
        assert not list((tmp_path / "page").rglob("june.xlsx")), "nothing of it is kept"
        assert (await browser.get("/")).status == 200


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read(1 << 20)
    writer.close()
    return answer


async def test_what_is_no_request_is_answered_without_a_secret(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with entered(settings(tmp_path)) as browser:
        port = int(browser.base.rpartition(":")[2])
        (secret,) = [each.value for each in browser.session.cookie_jar]
        head = f"Host: 127.0.0.1:{port}\r\nCookie: bulksend-{port}={secret}\r\n".encode()
        broken = (
            b"NO REQUEST <script>alert(1)</script>\r\n" + head + b"\r\n",
            b"GET / HTTP/9.9\r\n" + head + b"\r\n",
            b"GET / HTTP/1.1\r\n" + head + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + head.replace(b": bulksend", b": \x00bulksend") + b"\r\n",
            b"GET / HTTP/1.1\r\n" + head + b"no header at all\r\n\r\n",
            b"POST /campaigns HTTP/1.1\r\n" + head + b"Content-Length: x\r\n\r\n",
            b"POST /campaigns HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
            b"GET http://evil.example/ HTTP/1.1\r\n" + head + b"\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
        )
        for request in broken:
            answer = await raw(port, request)
            assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 421")), answer[:200]
            for word in (secret, browser.csrf, "Set-Cookie", "Traceback"):
                assert word.encode() not in answer, request[:60]
            assert b"<script>" not in answer
            if answer.startswith(b"HTTP/1.0"):  # by the server itself, before anything of ours sees it
                assert b"This form cannot be read." in answer
                assert all(f"{name}: {value}".encode() in answer for name, value in HEADERS.items())
        assert (await browser.get("/")).status == 200
        assert secret not in "".join(capfd.readouterr())


async def test_reasons_and_numbers_on_the_list_of_optouts_are_text(tmp_path: Path) -> None:
    async with entered(settings(tmp_path, base_url="http://127.0.0.1:9")) as browser:
        await priced(browser, b"to\n639171234567\n")
        with optouts_of(None, Address(7, "http://127.0.0.1:9")) as listed:  # by whatever else writes there
            for number in range(60):
                listed.add([PhoneNumber(f"63917{number:07}")], BAD + "x" * 100_000, 0.0)
        assert harmless(await browser.get("/optouts"))
        assert harmless(await browser.post("/optouts", holds=BAD))
        assert harmless(await browser.post("/optouts/add", number=BAD, country=BAD, reason=BAD))
        assert harmless(await browser.post("/optouts/add", number="+639181234567", country="", reason=BAD * 1_000))
        assert harmless(await browser.post("/optouts/remove", who=BAD))
        assert harmless(await browser.post("/optouts/remove", who="639181234567", campaign=BAD))
