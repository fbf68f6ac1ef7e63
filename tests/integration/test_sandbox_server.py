from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bulksend.engagespark.sandbox import Sandbox, SandboxOptions, Summary
from bulksend.engagespark.sandbox.server import steady_clock
from bulksend.errors import UsageError

SEND = "/v1/sms/contact"
TWIN = "/v1/sms/phonenumber"
OPTIONS = SandboxOptions(token="secret", org_id=123)


class Client:
    """What a client of the API sees."""

    def __init__(self, sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._http = http

    async def send(self, path: str = SEND, **fields: object) -> tuple[int, dict[str, Any]]:
        sample = {"orgId": 123, "message": "Sample message to you."}
        if "contactId" not in fields:
            sample["to"] = "639123456789"
        async with self._http.post(path, json=sample | fields) as response:
            return response.status, json.loads(await response.read())

    async def post(self, path: str, data: bytes | str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
        async with self._http.post(path, data=data, headers=headers) as response:
            return response, await response.text()

    async def get(self, path: str, **parameters: str) -> tuple[int, Any]:
        async with self._http.get(path, params=parameters) as response:
            text = await response.text()
            return response.status, json.loads(text) if "json" in response.content_type else text

    async def log(self) -> list[dict[str, Any]]:
        async with self._http.get("/sandbox/log", headers={"Authorization": ""}) as response:
            assert response.headers["Content-Type"] == "application/jsonl; charset=utf-8"
            return [json.loads(line) for line in (await response.text()).splitlines()]


@asynccontextmanager
async def serving(
    options: SandboxOptions = OPTIONS, token: str = OPTIONS.token, clock: Callable[[], float] | None = None
) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Token {token}"}
    async with (
        Sandbox(options, clock=clock) as sandbox,
        aiohttp.ClientSession(sandbox.base_url, headers=headers) as http,
    ):
        yield Client(sandbox, http)


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited 5 s in vain")


async def test_a_send_is_answered_as_the_document_says_with_the_live_content_type() -> None:
    async with serving() as client:
        sample = '{"orgId": 123, "to": "639123456789", "from": "engageSPARK", "message": "Sample message to you."}'
        response, text = await client.post(SEND, sample)
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    answer = json.loads(text)
    assert (answer["error"], answer["estimate"], answer["to"]) == ("", "0.02", "639123456789")
    assert answer["messageId"].endswith("-123-0001")


async def test_a_wrong_token_is_refused_everywhere_but_at_the_inspection() -> None:
    async with serving(token="wrong") as client:
        refused = (401, {"error": "Invalid Token"})
        assert await client.send() == refused
        assert await client.send(TWIN) == refused
        assert await client.get("/v1/organizations/123/balance.json") == refused
        assert await client.get("/v1/organizations/123/messages/") == refused
        assert await client.get("/v1/organizations/123/messages/x/") == refused
        assert [record["status"] for record in await client.log()] == [401, 401]


@pytest.mark.parametrize("data", ["", "{", "[]", '"text"', b"\xff", '{"a": NaN}'])
async def test_what_is_no_json_object_is_a_bad_request_in_the_documents_structure(data: bytes | str) -> None:
    async with serving() as client:
        response, text = await client.post(SEND, data)
        assert [record["status"] for record in await client.log()] == [400]
    answer = json.loads(text)
    assert (response.status, answer["error"], answer["messageId"]) == (400, "invalid JSON", "")


async def test_a_repeated_dedup_key_is_a_conflict_over_the_wire() -> None:
    async with serving() as client:
        first, again = [await client.send(clientDedup="k") for _ in range(2)]
    assert (first[0], again[0]) == (200, 409)
    assert first[1]["clientDedup"] == "k"
    assert again[1]["dedupMessageId"] == first[1]["messageId"]


async def test_the_twin_for_bare_numbers_takes_no_contact() -> None:
    async with serving() as client:
        assert (await client.send(TWIN, contactId=1001))[0] == 400
        status, answer = await client.send(TWIN)
    assert (status, answer["contactId"]) == (200, 0)


async def test_a_lost_answer_cuts_the_connection_after_the_message_was_accepted() -> None:
    async with serving(replace(OPTIONS, lose_answers=1.0)) as client:
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.send(clientDedup="k")
        status, answer = await client.send(clientDedup="k")
        lost, repeated = await client.log()
        assert client.sandbox.summary().accepted == 1
    assert (lost["status"], lost["accepted"], lost["answered"]) == (200, True, False)
    assert (status, answer["dedupMessageId"]) == (409, lost["messageId"])
    assert (repeated["answered"], repeated["dedupOf"]) == (True, lost["messageId"])


async def test_an_internal_error_has_the_documents_structure_and_accepts_nothing() -> None:
    async with serving(replace(OPTIONS, fail=((500, 1.0),))) as client:
        status, answer = await client.send()
        assert client.sandbox.ledger.messages == []
    assert (status, answer["error"], answer["messageId"]) == (500, "internal service error", "")


@pytest.mark.parametrize(("status", "retry_after"), [(429, "1"), (502, None), (503, "1"), (504, None), (524, None)])
async def test_the_cdns_failures_are_pages(status: int, retry_after: str | None) -> None:
    async with serving(replace(OPTIONS, fail=((status, 1.0),))) as client:
        response, text = await client.post(SEND, "{}")
    assert (response.status, response.content_type) == (status, "text/html")
    assert response.headers.get("Retry-After") == retry_after
    assert f"Error {status}" in text


async def test_an_answer_takes_the_latency_and_others_do_not_wait_for_it() -> None:
    async with serving(replace(OPTIONS, latency_s=1.0)) as client:
        began = time.monotonic()
        await asyncio.gather(*(client.send() for _ in range(20)))
        took = time.monotonic() - began
        arrived = [record.arrived for record in client.sandbox.records]
    assert 1.0 <= took < 1.95
    assert max(arrived) - min(arrived) < 0.75


async def test_the_balance_of_an_account_that_recharges_itself_says_so() -> None:
    async with serving(replace(OPTIONS, balance_micro=10_000, recharge_micro=5_000_000)) as client:
        assert (await client.send())[0] == 200
        _, shown = await client.get("/v1/organizations/123/balance.json")
    assert shown["balanceMicro"] == 4_990_000
    assert (shown["autoRecharge"], shown["autoRechargeThreshold"], shown["autoRechargeAmount"]) == (True, 0, 5.0)


async def test_the_balance_goes_down_with_every_part_until_it_is_spent() -> None:
    async with serving(replace(OPTIONS, balance_micro=50_000)) as client:
        before = await client.get("/v1/organizations/123/balance.json")
        statuses = [(await client.send(message="x" * 161))[0] for _ in range(2)]
        after = await client.get("/v1/organizations/123/balance.json")
        assert (await client.get("/v1/organizations/124/balance.json"))[0] == 404
    assert statuses == [200, 402]
    assert before[1]["balanceMicro"] == 50_000
    assert after == (
        200,
        {
            "balance": 0.01,
            "balanceMicro": 10_000,
            "balanceHuman": "$0.01",
            "autoRecharge": False,
            "autoRechargeThreshold": 0,
            "autoRechargeAmount": 0,
        },
    )


async def test_messages_are_listed_in_pages_and_shown_one_by_one() -> None:
    async with serving() as client:
        for i in range(7):
            await client.send(message=f"Text {i}")
        messages = "/v1/organizations/123/messages/"
        _, first = await client.get(messages, limit="5")
        _, second = await client.get(messages, limit="5", after=first["nextPage"])
        _, failed = await client.get(messages, failed="true")
        _, one = await client.get(f"{messages}{first['messages'][0]['id']}/")
        assert (await client.get(messages, limit="x"))[0] == 400
        assert (await client.get(f"{messages}SMS-1/"))[0] == 404
        assert (await client.get("/v1/organizations/9/messages/"))[0] == 404
    assert [m["message"] for m in first["messages"] + second["messages"]] == [f"Text {i}" for i in range(6, -1, -1)]
    assert (first["hasNextPage"], second["hasNextPage"]) == (True, False)
    assert [m["message"] for m in failed["messages"]] == ["Text 6", "Text 5"]
    assert one == first["messages"][0]


async def test_a_legacy_server_has_no_lists_no_echo_and_the_usual_structure_for_a_wrong_token() -> None:
    async with serving(replace(OPTIONS, legacy=True)) as client:
        replies = [await client.send(clientDedup="k") for _ in range(2)]
        assert (await client.get("/v1/organizations/123/balance.json"))[0] == 404
        assert (await client.get("/v1/organizations/123/messages/"))[0] == 404
        _, text = await client.post(SEND, "{}", Authorization="Token wrong")
    assert [status for status, _ in replies] == [200, 200]
    assert all("clientDedup" not in answer for _, answer in replies)
    assert json.loads(text) == replies[0][1] | {
        "error": "Invalid Token",
        "messageId": "",
        "estimateParts": 0,
        "estimateMicro": 0,
        "estimate": "",
        "deliveryDeadline": "",
        "contactId": 0,
        "to": "",
        "message": "",
    }


async def test_a_contact_can_be_created_and_sent_to() -> None:
    async with serving() as client:
        response, text = await client.post("/sandbox/contacts", '{"number": "639179998888"}')
        contact_id = json.loads(text)["contactId"]
        _, answer = await client.send(contactId=contact_id)
        bad, _ = await client.post("/sandbox/contacts", '{"number": "0917"}')
        impossible, _ = await client.post("/sandbox/contacts", '{"number": "639170010000"}')
    assert (response.status, answer["to"]) == (201, "639179998888")
    assert (bad.status, impossible.status) == (400, 400)


async def test_the_log_tells_what_became_of_every_send() -> None:
    async with serving(clock=lambda: 1_563_896_665.0) as client:
        _, answer = await client.send(contactId=1001, clientDedup="k", **{"from": "engageSPARK"})
        await client.send(to="123")
        for _ in range(5):
            await client.send(to="639170001001")
        log = await client.log()
    assert log[0] == {
        "arrived": 1_563_896_665.0,
        "path": SEND,
        "to": None,
        "contactId": 1001,
        "number": "639170001001",
        "message": "Sample message to you.",
        "from": "engageSPARK",
        "clientDedup": "k",
        "status": 200,
        "messageId": answer["messageId"],
        "accepted": True,
        "lost": False,
        "answered": True,
        "dedupOf": "",
    }
    assert (log[1]["status"], log[1]["accepted"], log[1]["to"], log[1]["number"]) == (400, False, "123", "")
    assert [record["lost"] for record in log[2:]] == [False] * 4 + [True]


async def test_the_summary_counts_every_send_once() -> None:
    async with serving() as client:
        for _ in range(6):
            await client.send()
        await client.send(clientDedup="k", to="4915112345678")
        await client.send(clientDedup="k", to="4915112345678")
        await client.send(to="123")
        _, shown = await client.get("/sandbox/summary")
        summary = client.sandbox.summary()
    assert summary == Summary(
        requests=9, accepted=7, duplicates=1, refused=1, lost=1, balance_micro=9_999_860_000, worst=6
    )
    assert shown == {
        "requests": 9,
        "accepted": 7,
        "duplicates": 1,
        "refused": 1,
        "lost": 1,
        "balanceMicro": 9_999_860_000,
        "worst": 6,
    }


async def test_a_duplicate_of_a_lost_message_is_not_lost_once_more() -> None:
    async with serving() as client:
        for i in range(6):
            await client.send(clientDedup=str(i))
        await client.send(clientDedup="5")
        summary = client.sandbox.summary()
    assert (summary.accepted, summary.duplicates, summary.lost) == (6, 1, 1)


async def test_a_long_log_comes_whole() -> None:
    async with serving() as client:
        await client.send()
        client.sandbox._log.records.extend(list(client.sandbox.records) * 2500)
        assert len(await client.log()) == 2501


async def test_the_log_file_has_each_send_before_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.jsonl"
    async with serving(replace(OPTIONS, log_path=path, latency_s=0.3)) as client:
        sending = asyncio.create_task(client.send())
        await eventually(lambda: path.stat().st_size > 0)
        assert not sending.done()
        await sending
        assert [json.loads(line) for line in path.read_text().splitlines()] == await client.log()
    async with serving(replace(OPTIONS, log_path=path)) as client:
        await client.send()
    assert len(path.read_text().splitlines()) == 2
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_log_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the sandbox's log"):
        async with Sandbox(replace(OPTIONS, log_path=tmp_path / "none" / "log")):
            pass


async def test_a_port_in_use_is_a_usage_error() -> None:
    async with Sandbox() as first:
        port = int(first.base_url.rpartition(":")[2])
        with pytest.raises(UsageError) as caught:
            async with Sandbox(port=port):
                pass
    assert (
        str(caught.value) == f"the sandbox cannot listen on 127.0.0.1:{port}: the port is in use; choose another port"
    )


async def test_closing_does_not_wait_for_idle_connections_or_late_answers() -> None:
    async with aiohttp.ClientSession() as http:
        async with Sandbox(replace(OPTIONS, latency_s=30.0)) as sandbox:
            async with http.get(f"{sandbox.base_url}/sandbox/summary") as response:
                await response.read()
            late = asyncio.create_task(
                http.post(f"{sandbox.base_url}{SEND}", headers={"Authorization": "Token secret"}, data="{}")
            )
            await eventually(lambda: len(sandbox.records) > 0)
            began = time.monotonic()
        assert time.monotonic() - began < 10
        with pytest.raises(aiohttp.ClientConnectionError):
            await late


def test_the_clock_tells_unix_time_and_never_goes_back() -> None:
    clock = steady_clock()
    times = [clock() for _ in range(1000)]
    assert times == sorted(times)
    assert abs(times[0] - time.time()) < 1
