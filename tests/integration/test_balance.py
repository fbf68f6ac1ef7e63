"""The account's funds, asked of servers that tell them, and of such as do not."""

from __future__ import annotations

import asyncio
import logging

import orjson
import pytest
from test_api import CHUNKED, KEY, Act, accepts, answer, chunked, hangs, resets, says, serving, with_length

from bulksend.engagespark import Balance, Looked, SmsApi, Target
from bulksend.engagespark import client as api_module
from bulksend.engagespark.sandbox import Sandbox, SandboxOptions
from bulksend.model import Endpoint, Message, MicroUSD, PhoneNumber

DOCUMENTED = {
    "balance": 12.34,
    "balanceMicro": 12_345_678,
    "balanceHuman": "$12.34",
    "autoRecharge": False,
    "autoRechargeThreshold": 0,
    "autoRechargeAmount": 0,
}
HUGE = b'{"balanceMicro":1,"x":"' + b"x" * 6_000_000 + b'"}'


async def balance_by(act: Act, timeout_s: float = 5.0) -> Balance | Looked:
    async with serving(act) as server, SmsApi(server.target(), timeout_s=timeout_s) as api:
        return await api.balance()


async def balance_in(**fields: object) -> Balance | Looked:
    return await balance_by(answer("200 OK", orjson.dumps(fields)))


async def test_the_documented_balance_is_asked_for_with_the_key_and_read_to_the_micro_dollar() -> None:
    async with (
        serving(answer("200 OK", orjson.dumps(DOCUMENTED))) as server,
        SmsApi(Target(server.base_url + "/", 123, Endpoint.PHONENUMBER, KEY), timeout_s=5.0) as api,
    ):
        assert await api.balance() == Balance(MicroUSD(12_345_678), auto_recharge=False)
    assert [request.line for request in server.requests] == ["GET /v1/organizations/123/balance.json HTTP/1.1"]
    assert server.requests[0].values("Authorization") == [f"Token {KEY}"]


async def test_the_sandboxes_balance_is_told_with_what_was_spent_and_whether_it_recharges_itself() -> None:
    options = SandboxOptions(token=KEY, org_id=123, balance_micro=10_000, recharge_micro=5_000_000)
    async with (
        Sandbox(options) as sandbox,
        SmsApi(Target(sandbox.base_url, 123, Endpoint.CONTACT, KEY), timeout_s=5.0) as api,
    ):
        assert await api.balance() == Balance(MicroUSD(10_000), auto_recharge=True)
        await api.send(Message(1, PhoneNumber("639123456789"), None, "Hi", 1, None), None, lambda: True)
        assert await api.balance() == Balance(MicroUSD(4_990_000), auto_recharge=True)


@pytest.mark.parametrize(
    ("options", "key", "why"),
    [
        (SandboxOptions(token=KEY, org_id=123, legacy=True), KEY, Looked.NO_SUCH),
        (SandboxOptions(token=KEY, org_id=124), KEY, Looked.NO_SUCH),
        (SandboxOptions(token=KEY, org_id=123), "wrong", Looked.REFUSED),
    ],
    ids=["a server like the document", "another organization", "a wrong key"],
)
async def test_a_sandbox_that_tells_no_balance_is_no_error(options: SandboxOptions, key: str, why: Looked) -> None:
    async with (
        Sandbox(options) as sandbox,
        SmsApi(Target(sandbox.base_url, 123, Endpoint.CONTACT, key), timeout_s=5.0) as api,
    ):
        assert await api.balance() is why


@pytest.mark.parametrize(
    ("fields", "micro"),
    [
        ({"balanceMicro": 5, "balance": 7}, 5),
        ({"balanceMicro": "12345678"}, 12_345_678),
        ({"balanceMicro": -2_500_000}, -2_500_000),
        ({"balanceMicro": "-2500000"}, -2_500_000),
        ({"balanceMicro": 0, "balance": 7}, 0),
        ({"balanceMicro": 1e6}, 1_000_000),
        ({"balance": 12.34}, 12_340_000),
        ({"balance": "12.34"}, 12_340_000),
        ({"balance": 12}, 12_000_000),
        ({"balance": -0.1}, -100_000),
        ({"balance": "0.29"}, 290_000),
        ({"balance": "0.0000019"}, 1),
        ({"balance": "-0.0000011"}, -2),
        ({"balanceMicro": None, "balance": "1"}, 1_000_000),
        ({"balanceMicro": "much", "balance": "1"}, 1_000_000),
        ({"balanceMicro": True, "balance": "1"}, 1_000_000),
    ],
)
async def test_a_balance_is_read_from_micro_dollars_else_from_dollars_as_numbers_or_strings(
    fields: dict[str, object], micro: int
) -> None:
    assert await balance_in(**fields) == Balance(MicroUSD(micro), auto_recharge=False)


@pytest.mark.parametrize(("said", "is_so"), [(True, True), (False, False), (None, False), ("yes", False), (1, False)])
async def test_an_account_recharges_itself_only_if_it_says_so(said: object, *, is_so: bool) -> None:
    assert await balance_in(balanceMicro=1, autoRecharge=said) == Balance(MicroUSD(1), auto_recharge=is_so)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"balance": None},
        {"balance": "$12.34"},
        {"balance": "12,34"},
        {"balance": "NaN"},
        {"balance": "sNaN"},
        {"balance": "Infinity"},
        {"balance": "1e999999999999999999"},
        {"balance": "1e999999"},
        {"balance": "9" * 5_000},
        {"balanceMicro": 10**18},
        {"balance": {"usd": 1}},
        {"balance": [1]},
        {"balance": False},
    ],
)
async def test_what_is_no_balance_is_not_understood(fields: dict[str, object]) -> None:
    assert await balance_in(**fields) is Looked.NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (answer("404 Not Found", b"<html>Not found</html>", content_type="text/html"), Looked.NO_SUCH),
        (answer("401 Unauthorized", b'{"error": "Invalid Token"}'), Looked.REFUSED),
        (answer("403 Forbidden", b'{"balanceMicro": 1}'), Looked.WITHHELD),
        (answer("500 Internal Server Error", b'{"balanceMicro": 1}'), Looked.NOT_REACHED),
        (answer("202 Accepted", b'{"balanceMicro": 1}'), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b"<html>Log in</html>", content_type="text/html"), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b""), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b"[1]"), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b"5"), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b'{"balanceMicro": 1'), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b"[" * 100_000), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b'{"balanceMicro": "\xff"}'), Looked.NOT_UNDERSTOOD),
        (says(with_length(1_000, b'{"balanceMicro":')), Looked.NOT_REACHED),
        (says(with_length(len(HUGE), HUGE)), Looked.NOT_UNDERSTOOD),
        (says(CHUNKED, chunked(HUGE, 60_000), b"0\r\n\r\n"), Looked.NOT_UNDERSTOOD),
        (says(b"HTTP/1.1 20"), Looked.NOT_REACHED),
        (says(), Looked.NOT_REACHED),
        (resets, Looked.NOT_REACHED),
    ],
    ids=[
        "404", "401", "403", "500", "202", "HTML", "nothing", "a list", "a number", "half an object", "depth",
        "no UTF-8", "broken off", "huge", "huge in chunks", "half a status line", "hung up", "reset",
    ],
)  # fmt: skip
async def test_a_server_that_tells_no_balance_is_no_error(act: Act, why: Looked) -> None:
    assert await balance_by(act) is why


async def test_a_server_that_is_not_there_tells_no_balance() -> None:
    async with serving(accepts()) as server:
        target = server.target()
    async with SmsApi(target, timeout_s=5.0) as api:
        assert await api.balance() is Looked.NOT_REACHED


@pytest.mark.parametrize(
    "act",
    [hangs, says(with_length(1_000, b""), *[b" "] * 1_000, pause_s=0.05)],
    ids=["no answer", "a body that drips"],
)
async def test_a_balance_that_does_not_come_is_not_waited_for(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await balance_by(act, timeout_s=0.2) is Looked.NOT_REACHED
    monkeypatch.setattr(api_module, "_BALANCE_TIMEOUT_S", 0.2)  # its own, shorter than what a send may take
    async with asyncio.timeout(10):
        assert await balance_by(act, timeout_s=3_600) is Looked.NOT_REACHED


async def test_after_a_balance_that_did_not_come_messages_are_sent() -> None:
    async with serving(hangs, accepts()) as server, SmsApi(server.target(), timeout_s=0.3) as api:
        assert await api.balance() is Looked.NOT_REACHED
        assert (
            await api.send(Message(1, PhoneNumber("639123456789"), None, "Hi", 1, None), None, lambda: True)
        ).answer is not None


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(status: str) -> None:
    async with serving(answer("200 OK", orjson.dumps(DOCUMENTED))) as elsewhere:
        location = f"Location: {elsewhere.base_url}/v1/organizations/123/balance.json"
        assert await balance_by(answer(status, b"", location)) is Looked.NOT_UNDERSTOOD
        assert elsewhere.connections == 0


async def test_a_server_that_echoes_the_key_does_not_get_it_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        shown = repr(await balance_in(balanceMicro=KEY, balance=KEY, autoRecharge=KEY, error=KEY))
    assert KEY not in shown + caplog.text
