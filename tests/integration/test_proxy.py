"""A proxy on the way: one that tunnels, such as do not, and what each proves; all on the loopback."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from test_api import KEY, TO_NUMBER, Hostile, accepts, ask, serving
from yarl import URL

from bulksend.engagespark import Looked, SmsApi, Target
from bulksend.engagespark.outcomes import Fault, Reply, judge
from bulksend.engagespark.proxy import proxy_for
from bulksend.errors import UsageError
from bulksend.model import Endpoint, Event
from bulksend.sending import StopReason

HOST = "api.engagespark.test"  # known to the proxy alone
AWAY = Target(f"https://{HOST}", 123, Endpoint.CONTACT, KEY)
REFUSED = b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nno"
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass
class Tunneller:
    """A proxy, and what it was asked for."""

    port: int = 0
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def proxying(says: bytes | None = TUNNEL, to: int | None = None) -> AsyncIterator[Tunneller]:
    """A proxy that answers a CONNECT and then passes all on to a port, whatever was asked for; None answers nothing."""
    proxy = Tunneller()
    writers: list[asyncio.StreamWriter] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        proxy.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if says is None:
            await asyncio.sleep(30)
        writer.write(says or b"")
        if to is None:
            writer.close()
            return
        there, onwards = await asyncio.open_connection("127.0.0.1", to)
        writers.append(onwards)
        await asyncio.gather(pipe(reader, onwards), pipe(there, writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for the API's name, and a server's context that shows it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    what = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
    made = ["openssl", "req", *what, "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


SENDS = f"""
import asyncio
from bulksend.engagespark import SmsApi, Target
from bulksend.model import Endpoint, Message, PhoneNumber

async def main():
    async with SmsApi(Target("https://{HOST}", 123, Endpoint.CONTACT, "{KEY}"), timeout_s=10.0) as api:
        for text in ("one", "two"):
            message = Message(1, PhoneNumber("639123456789"), None, text, 1, None)
            print((await api.send(message, None, lambda: True)).ruling.event)
        print(await api.balance())

asyncio.run(main())
"""


async def sent_by_a_process(**environment: str) -> list[str]:
    """What another process gets that trusts other certificates, for those are read once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDS, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().split("\n")[:-1]


async def test_messages_and_questions_go_through_a_tunnel_to_a_server_whose_certificate_is_trusted(
    certified: tuple[Path, ssl.SSLContext],
) -> None:
    certificate, context = certified
    async with serving(accepts(), tls=context) as server, proxying(to=server.port) as proxy:
        trusted = {"SSL_CERT_FILE": str(certificate)}
        said = await sent_by_a_process(HTTPS_PROXY=proxy.url.replace("//", "//us%40er:s3cret@"), **trusted)
        assert said == ["accepted", "accepted", "not understood"]
    assert server.connections == len(proxy.heads) == 2
    for head in proxy.heads:
        assert head.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
        assert f"Proxy-Authorization: Basic {base64.b64encode(b'us@er:s3cret').decode()}" in head
        assert KEY not in head
    assert [request.values("Authorization") for request in server.requests] == [[f"Token {KEY}"]] * 3
    assert not any(request.values("Proxy-Authorization") for request in server.requests)


async def test_a_tunnel_does_not_make_a_certificate_trusted(
    certified: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(accepts(), tls=certified[1]) as server, proxying(to=server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        reply = await ask(AWAY)
    assert (reply.http_status, reply.fault) == (None, Fault.UNTRUSTED)
    assert server.requests == []


@pytest.mark.parametrize(
    ("says", "fault", "event", "ends"),
    [
        (REFUSED % 407, Fault.PROXY_REFUSED, Event.PUT_OFF, StopReason.BLOCKED),
        (REFUSED % 403, Fault.PROXY_REFUSED, Event.PUT_OFF, StopReason.BLOCKED),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", Fault.PROXY_FAILED, Event.FAILED, None),
        (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", Fault.PROXY_FAILED, Event.FAILED, None),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Fault.UNREACHABLE, Event.FAILED, None),
        (b"HTTP/1.1 200 OK\r\n\r\n", Fault.UNREACHABLE, Event.FAILED, None),
        (b"", Fault.UNREACHABLE, Event.FAILED, None),
        (None, Fault.UNREACHABLE, Event.FAILED, None),
    ],
    ids=["407", "403", "503", "504", "no HTTP", "hung up behind the tunnel", "hung up", "no answer"],
)  # fmt: skip
async def test_a_proxy_that_does_not_connect_certainly_sent_nothing(
    says: bytes | None, fault: Fault, event: Event, ends: StopReason | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying(says) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:s3cret@"))
        reply = await ask(AWAY, timeout_s=0.5)
        async with SmsApi(AWAY, timeout_s=0.5) as api:
            assert await api.balance() is Looked.NOT_REACHED
    assert (reply.http_status, reply.fault) == (None, fault)
    ruling = judge(reply).ruling
    assert (ruling.event, ruling.counts, ruling.ends) == (event, False, ends)
    assert "s3cret" not in judge(reply).says + repr(reply)
    assert KEY not in "".join(proxy.heads)


async def test_a_proxy_that_is_not_there_certainly_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@127.0.0.1:9")
    reply = await ask(AWAY)
    assert (reply.http_status, reply.fault) == (None, Fault.UNREACHABLE)
    assert "s3cret" not in reply.error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_asked_directly_whatever_the_environment_says(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(accepts()) as server, proxying() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        reply = await asked_at(server, host)
    assert judge(reply).ruling.event is Event.ACCEPTED
    assert proxy.heads == []


async def asked_at(server: Hostile, host: str) -> Reply:
    return await ask(Target(f"http://{host}:{server.port}", 123, Endpoint.CONTACT, KEY), TO_NUMBER)


@pytest.mark.parametrize(
    ("environment", "is_used"),
    [
        ({}, False),
        ({"HTTPS_PROXY": "http://proxy:3128"}, True),
        ({"https_proxy": "http://proxy:3128"}, True),
        ({"HTTPS_PROXY": "proxy:3128"}, True),
        ({"HTTPS_PROXY": ""}, False),
        ({"HTTP_PROXY": "http://proxy:3128"}, False),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, False),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "x, .engagespark.test"}, False),
        ({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": f"{HOST}:443"}, False),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": f"{HOST}:8443"}, True),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "other.test"}, True),
    ],
)
def test_the_environment_says_whether_a_proxy_is_used(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, is_used: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxy = proxy_for(URL(AWAY.base_url))
    assert (proxy is not None) is is_used
    assert proxy is None or proxy.url == URL("http://proxy:3128")


@pytest.mark.parametrize(
    "value", ["socks5://u:s3cret@proxy", "http://u:s3cret@[::1", "http://u:s3cret@:80", "http://u:s3cret@h:x"]
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(UsageError, match="HTTPS_PROXY") as refused:
        SmsApi(AWAY, timeout_s=1.0)
    assert "s3cret" not in str(refused.value)


def test_what_a_proxy_is_used_with_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@proxy:3128")
    proxy = proxy_for(URL(AWAY.base_url))
    assert proxy is not None
    assert proxy.headers
    assert base64.b64encode(b"user:s3cret").decode() not in repr(proxy)
    assert "s3cret" not in f"{proxy!r} {proxy}"
