"""The page answers one browser of this machine and nobody else, over real sockets."""

from __future__ import annotations

import asyncio
import io
import re
import stat
from pathlib import Path

import pytest
from pages import entered, outside, settings, token_in

from bulksend.web import PageServer


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.csv") if path.is_file()]


HEADERS = {
    "Content-Security-Policy": "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
SHEET = b"Name,Mobile\nAna,639171234567\nBen,639181234567\n"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))


async def test_it_listens_on_this_machine_alone(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path)) as server:
        assert [each.getsockname()[0] for each in server._listening.sockets] == ["127.0.0.1"]


async def test_the_file_that_opens_it_is_for_its_owner_and_goes_with_the_first_use(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path)) as server, outside(server) as browser:
        file = server.entry
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        token = token_in(file)
        assert token not in str(file)
        assert (await browser.enter("another")).status == 403
        assert (await browser.enter(token)).status == 200
        assert not file.exists()
        assert (await browser.enter(token)).status == 403


async def test_the_token_is_too_old_after_its_time(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path, entry_s=0.0)) as server, outside(server) as browser:
        assert (await browser.enter(token_in(server.entry))).status == 403
        assert (await browser.get("/")).status == 401


async def test_the_cookie_is_strict_and_out_of_reach_for_scripts(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path)) as server, outside(server) as browser:
        answer = await browser.enter(token_in(server.entry))
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"bulksend-{server.port}=")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "url=/" in await answer.text(), "the page opens the next one by itself, or the cookie stays behind"


async def test_without_the_cookie_nothing_is_shown(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path)) as server, outside(server) as browser:
        for path in ("/", "/c/0123456789abcdef/sheet", "/nothing"):
            assert (await browser.get(path)).status == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}", "[::1]:{port}"]
)
async def test_another_host_is_refused(tmp_path: Path, host: str) -> None:
    async with entered(settings(tmp_path)) as browser:
        port = browser.base.rpartition(":")[2]
        async with browser.session.get(browser.base, headers={"Host": host.format(port=port)}) as answer:
            assert answer.status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", None])
async def test_what_another_site_has_the_browser_do_is_refused(tmp_path: Path, origin: str | None) -> None:
    async with entered(settings(tmp_path)) as browser:
        headers = {"Origin": origin} if origin else {}
        async with browser.session.post(
            f"{browser.base}/campaigns", data={"csrf": browser.csrf}, headers=headers
        ) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(("said", "status"), [("same-origin", 200), ("cross-site", 403), ("same-site", 403)])
async def test_a_form_without_a_referrer_is_known_by_what_the_browser_says(
    tmp_path: Path, said: str, status: int
) -> None:
    async with entered(settings(tmp_path)) as browser:
        headers = {"Origin": "null", "Sec-Fetch-Site": said}
        form = {"csrf": browser.csrf}
        async with browser.session.post(f"{browser.base}/campaigns", data=form, headers=headers) as answer:
            assert answer.status == status


async def test_another_site_cannot_enter(tmp_path: Path) -> None:
    async with PageServer(settings(tmp_path)) as server, outside(server) as browser:
        assert (await browser.enter(token_in(server.entry), origin="http://evil.example")).status == 403


@pytest.mark.parametrize("token", ["", "guessed", "ä"])
async def test_a_form_that_is_none_of_ours_is_refused(tmp_path: Path, token: str) -> None:
    async with entered(settings(tmp_path)) as browser:
        assert (await browser.post("/campaigns", csrf=token)).status == 403
        begun = await browser.post("/campaigns")
        brought = await browser.bring(f"/c/{begun.key}/sheet/bring", "a.csv", SHEET, csrf=token)
        assert brought.status == 403
        assert not list((tmp_path / "page").rglob("a.csv"))


async def test_every_answer_bears_the_headers(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        static = ("/static/page.css", "/static/app.js", "/static/nothing")
        for path in ("/", "/nothing", *static, "/c/0123456789abcdef/sheet"):
            async with browser.session.get(browser.base + path) as answer:
                assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
        for path in ("/campaigns", "/enter"):
            async with browser.session.post(browser.base + path, headers={"Origin": browser.base}) as answer:
                assert answer.status == 403
                assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
        async with browser.session.get(browser.base, headers={"Host": "evil.example"}) as answer:
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS


async def test_nothing_on_a_page_is_inline_or_from_elsewhere(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        text = (await browser.begin("a.csv", SHEET)).text
        for word in ("<style", " style=", " onclick", "javascript:", "http://", "https://"):
            assert word not in text
        assert text.count("<script") == text.count("<script src=")


async def test_a_file_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    async with entered(settings(tmp_path, upload_max=1 << 20)) as browser:
        answer = await browser.begin("large.csv", b"to\n" + b"639171234567\n" * (1 << 17))
        assert answer.status == 413
        assert not list((tmp_path / "page").rglob("large.csv"))
        assert (await browser.get("/")).status == 200


async def test_a_form_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async with entered(settings(tmp_path)) as browser:
        form = io.BytesIO(b"message=" + b"x" * (2 << 20))
        headers = {"Origin": browser.base, "Content-Type": "application/x-www-form-urlencoded"}
        async with browser.session.post(f"{browser.base}/campaigns", data=form, headers=headers) as answer:
            assert answer.status == 413


@pytest.mark.parametrize(
    "name", ["../../../x.csv", "..\\x.csv", "/etc/x.csv", "\u202ex.csv", ".x.csv", "%2e%2e%2fx.csv"]
)
async def test_a_hostile_file_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    async with entered(settings(tmp_path)) as browser:
        answer = await browser.begin(name, SHEET)
        assert answer.status == 200
        brought = _files(tmp_path)
        assert len(brought) == 1
        assert brought[0].parent.parent == tmp_path / "page" / "campaigns" / answer.key / "sheet"
        assert stat.S_IMODE(brought[0].stat().st_mode) == 0o600
        assert brought[0].name.isprintable()


async def test_only_files_of_the_folder_can_be_chosen(tmp_path: Path) -> None:
    said = settings(tmp_path)
    (tmp_path / "secret.csv").write_bytes(SHEET)
    (said.folder / "a.csv").write_bytes(SHEET)
    async with entered(said) as browser:
        key = (await browser.post("/campaigns")).key
        for name in ("../secret.csv", str(tmp_path / "secret.csv"), "", "nothing.csv"):
            assert (await browser.post(f"/c/{key}/sheet/choose", file=name)).status == 422
        assert "Mobile" in (await browser.post(f"/c/{key}/sheet/choose", file="a.csv")).text


async def test_hostile_cells_are_only_text(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    rows = f'639171234567,"{bad}\u202e","=1+1"\n639181234567,"""><img src=x>",{"y" * 200_000}\n'
    sheet = f'Mobile,"{bad}","{{{{7*7}}}}"\n{rows}'
    async with entered(settings(tmp_path)) as browser:
        answer = await browser.begin("<b>a</b>.csv", sheet.encode())
        key = answer.key
        pages = [answer.text]
        pages.append((await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")).text)
        pages.append((await browser.post(f"/c/{key}/text/preview", message=f"Hi {{{bad}}} {bad}", row="1")).text)
        pages.append((await browser.post(f"/c/{key}/text", message=f"Hi {{{bad}}} {bad}", sender=bad)).text)
        pages.append((await browser.get("/")).text)
        pages.append((await browser.post(f"/c/{key}/who/filter", kind="only", column=bad, value=bad)).text)
        pages.append((await browser.post(f"/c/{key}/who/filter", kind="skip", column="Mobile", value=bad)).text)
        pages += [(await browser.post(f"/c/{key}/rows", reason=why, holds="")).text for why in ("", "pending", bad)]
        pages.append((await browser.post(f"/c/{key}/rows", reason="pending", holds=bad)).text)
        pages.append((await browser.post("/find", number=bad, country=bad)).text)
        pages.append((await browser.get(f"/?name={bad}")).text)
        for text in pages:
            assert "<script>alert" not in text
            assert "<img" not in text
            assert "49" not in re.findall(r"<th[^>]*>(.*?)</th>", text), "no cell is a template"
            assert len(text) < 100_000
        assert "&lt;script&gt;alert(1)" in pages[2]


async def test_a_key_is_kept_for_its_owner_and_never_shown(tmp_path: Path) -> None:
    said = settings(tmp_path)
    async with entered(said) as browser:
        key = (await browser.begin("a.csv", SHEET)).key
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        await browser.post(f"/c/{key}/price/way", way="rehearse")  # so that no server is asked
        answer = await browser.post(f"/c/{key}/price/key", organization="7", key="very-secret")
        assert answer.status == 200
        kept = [path for path in said.state.rglob("*") if path.is_file() and b"very-secret" in path.read_bytes()]
        assert [path.name for path in kept] == ["7.key"]
        assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
        for path in ("/", f"/c/{key}/price", f"/c/{key}/sending"):
            assert "very-secret" not in (await browser.get(path)).text
        bad = await browser.post(f"/c/{key}/price/key", organization="7", key="two words")
        assert bad.status == 422
        assert "two words" not in bad.text
        await browser.post(f"/c/{key}/price/key/forget")
        assert not kept[0].exists()


async def test_all_it_keeps_is_for_its_owner(tmp_path: Path) -> None:
    said = settings(tmp_path)
    async with entered(said) as browser:
        key = (await browser.begin("a.csv", SHEET)).key
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        assert stat.S_IMODE(said.state.stat().st_mode) == 0o700
        for path in said.state.rglob("*"):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


async def test_no_module_that_lies_where_the_page_was_opened_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("asyncio", "orjson"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path\nPath('was_run').touch()\nraise SystemExit")
    async with entered(settings(tmp_path)) as browser:
        key = (await browser.begin("june.csv", SHEET)).key
        assert "639171234567" in (await browser.get(f"/c/{key}/sheet")).text
    assert not (tmp_path / "was_run").exists()


async def test_where_no_process_can_be_started_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with entered(settings(tmp_path)) as browser:
        key = (await browser.begin("june.csv", SHEET)).key
        await browser.post(f"/c/{key}/sheet", numbers="Mobile", country="")
        await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
        price = await browser.post(f"/c/{key}/price/way", way="rehearse")
        monkeypatch.setattr("sys.executable", str(tmp_path / "gone"))  # as after the program was put elsewhere
        refused = await browser.post(f"/c/{key}/text", message="Hi", sender="ACME")
        assert refused.status == 422
        assert "broke off: try again" in refused.text
        monkeypatch.undo()
        monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "state"))
        await browser.post(f"/c/{key}/text", message="Hi {Name}", sender="ACME")
        price = await browser.get(f"/c/{key}/price")
        monkeypatch.setattr("sys.executable", str(tmp_path / "gone"))
        sent = await browser.post(f"/c/{key}/send", agreed=price.field("agreed"))
        assert "broke off: try again" in sent.text


async def test_secrets_that_are_no_text_are_wrong_and_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with PageServer(settings(tmp_path)) as server, outside(server) as browser:
        assert (await _status(server.port, b"Cookie: bulksend-%d=\xff\xfe" % server.port)) == 401
        await browser.enter(token_in(server.entry))
        (cookie,) = browser.session.cookie_jar
        assert (
            await _status(server.port, f"Cookie: {cookie.key}={cookie.value}\r\nX-CSRF-Token: ".encode() + b"\xff")
        ) == 403
    assert not caplog.records


async def _status(port: int, header: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    host = b"127.0.0.1:%d" % port
    writer.write(b"POST /campaigns HTTP/1.1\r\nHost: %b\r\nOrigin: http://%b\r\n%b\r\n\r\n" % (host, host, header))
    answer = await reader.readline()
    writer.close()
    return int(answer.split()[1])
