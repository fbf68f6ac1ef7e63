"""A webhook is told over a real socket: signed, tried again, never sent elsewhere, its address shown nowhere."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time

import pytest
from receiver import receiving

from bulksend.errors import UsageError
from bulksend.monitoring import Webhook, masked

BODY = b'{"run":"june.run","sent":3}'
NOW = 1_800_000_000.4


async def test_it_is_told_once_with_its_time_and_signature() -> None:
    with receiving() as receiver:
        assert await Webhook(receiver.url, b"key").tell(BODY, NOW) == ""
    (seen,) = receiver.seen
    assert (seen.path, seen.body) == ("/hooks/s3cret-part", BODY)
    assert seen.fields["Content-Type"] == "application/json"
    assert seen.fields["X-Bulksend-Timestamp"] == "1800000000"
    signature = hmac.new(b"key", b"1800000000." + BODY, hashlib.sha256).hexdigest()
    assert seen.fields["X-Bulksend-Signature"] == f"sha256={signature}"


async def test_without_a_secret_nothing_is_signed() -> None:
    with receiving() as receiver:
        await Webhook(receiver.url).tell(BODY, NOW)
    assert "X-Bulksend-Signature" not in receiver.seen[0].fields
    assert "X-Bulksend-Timestamp" in receiver.seen[0].fields


async def test_after_500_twice_it_is_told_at_the_third_try_as_the_same() -> None:
    with receiving(500, 500, 200) as receiver:
        assert await Webhook(receiver.url, b"key").tell(BODY, NOW) == ""
    assert len({(seen.body, seen.fields["X-Bulksend-Signature"]) for seen in receiver.seen}) == 1
    assert len(receiver.seen) == 3


@pytest.mark.parametrize(("status", "times"), [(500, 3), (429, 3), (404, 1), (410, 1)])
async def test_a_refusal_is_told_in_a_sentence_without_the_address(status: int, times: int) -> None:
    with receiving(status) as receiver:
        said = await Webhook(receiver.url).tell(BODY, NOW)
    assert said == f"the webhook at http://127.0.0.1/… was not told: it answered {status}"
    assert len(receiver.seen) == times


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    with receiving(status, 200) as receiver:
        said = await Webhook(receiver.url).tell(BODY, NOW)
    assert said.endswith(f"it points elsewhere ({status}), which is not followed")
    assert [seen.path for seen in receiver.seen] == ["/hooks/s3cret-part"]


async def test_a_slow_one_is_not_waited_for_longer_than_is_said() -> None:
    with receiving(wait_s=20.0) as receiver:
        began = time.monotonic()
        said = await Webhook(receiver.url, in_all_s=1.0, try_s=0.3).tell(BODY, NOW)
        assert time.monotonic() - began < 10
    assert said.endswith("no answer within 0.3 s")
    assert len(receiver.seen) == 2  # there was no time for a third


async def test_a_slow_one_that_answers_in_time_is_told_once() -> None:
    with receiving(wait_s=0.3) as receiver:
        assert await Webhook(receiver.url).tell(BODY, NOW) == ""
    assert len(receiver.seen) == 1


async def test_nobody_there_is_told_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        said = await Webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/hooks/s3cret-part").tell(BODY, NOW)
    assert said == "the webhook at http://127.0.0.1/… was not told: it could not be reached (Connection refused)"
    assert "s3cret" not in said


async def test_a_server_without_tls_is_told_in_a_sentence() -> None:
    with receiving() as receiver:
        said = await Webhook(receiver.url.replace("http:", "https:")).tell(BODY, NOW)
    assert "s3cret" not in said
    assert "TLS" in said


async def test_this_machine_is_told_directly_and_others_by_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert await Webhook(receiver.url).tell(BODY, NOW) == ""
        assert (len(proxy.seen), len(receiver.seen)) == (0, 1)
        said = await Webhook("https://hooks.example.test/s3cret-part").tell(BODY, NOW)
    assert "the proxy" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/s3cret-part",
        "http://192.168.0.7/s3cret-part",
        "ftp://127.0.0.1/s3cret-part",
        "hooks.example.com/s3cret-part",
        "https:///s3cret-part",
        "https://[s3cret-part",
        "s3cret-part",
    ],
)
def test_what_would_carry_it_in_the_open_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Webhook(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/…"),
        ("https://user:pass@example.com:8443/?token=xyz", "https://example.com/…"),
        ("xyz", ""),
        ("https://[xyz", ""),
    ],
)
def test_only_scheme_and_host_are_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_a_webhook_shows_nothing_of_itself() -> None:
    assert "s3cret" not in repr(Webhook("https://example.com/s3cret", b"s3cret"))
