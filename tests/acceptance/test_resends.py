"""Sending and sending again end alike: whatever stops them, they say so, and what was in doubt stays in doubt."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to

pytestmark = pytest.mark.long


ROWS = 12
RESEND = ("resolve", "campaign.run", "--resend", "--yes", "--concurrency", "4")


@pytest.fixture(params=["send", "resend"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ready(
    kind: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> Callable[..., tuple[SandboxServer, tuple[str, ...]]]:
    """Makes ready what is to be sent, all in doubt for a resend; starts the server it meets, and gives the command."""

    def prepare(*flags: str) -> tuple[SandboxServer, tuple[str, ...]]:
        campaign_of(numbers(ROWS))
        lossy = sandbox("--legacy", "--lose-answers", "1")
        port = lossy.base_url.rsplit(":", 1)[1]
        send = send_to(lossy, "--concurrency", "4")
        if kind == "resend":
            for _ in range(ROWS // 2):  # a server that says nothing is asked twice, without patience
                assert program(*send, "--patience", "0s").returncode in {1, 3}
            assert statuses(program) == {"unknown": ROWS}
        lossy.end()
        server = sandbox("--port", port, "--legacy", *flags)
        return server, RESEND if kind == "resend" else send

    return prepare


def statuses(program: Program, name: str = "campaign.results.csv") -> Counter[str]:
    return Counter(row["status"] for row in program.results(name))


def left(kind: str) -> str:
    """What a row is that was not accepted this time."""
    return "unknown" if kind == "resend" else "pending"


Ready = Callable[..., tuple[SandboxServer, tuple[str, ...]]]


def test_without_funds_it_stops_and_says_so(kind: str, ready: Ready, program: Program) -> None:
    server, command = ready("--balance", "0.10")
    stopped = program(*command)
    assert stopped.returncode == 3
    assert "Stopped early: out of funds" in stopped.stderr
    assert statuses(program) == {"sent": 5, left(kind): ROWS - 5}
    assert server.summary()["accepted"] == 5


def test_with_a_refused_key_it_stops_and_says_so(kind: str, ready: Ready, program: Program) -> None:
    server, command = ready("--token", "another")
    stopped = program(*command, *(["--unseen"] if kind == "resend" else []))
    assert stopped.returncode == 3
    assert f"{'Stopped early' if kind == 'resend' else 'Nothing was sent'}: key refused" in stopped.stderr
    assert "stopped    the API refused the key" in stopped.stderr
    assert "--org-id" in stopped.stderr
    assert statuses(program) == {left(kind): ROWS}
    assert server.summary()["accepted"] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_ends_in_order_and_what_was_in_doubt_stays_so(
    kind: str, ready: Ready, program: Program, number: signal.Signals, code: int
) -> None:
    server, command = ready("--latency", "200ms")
    process = program.start(*command)
    server.await_requests(4)
    process.send_signal(number)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == code, talk
    assert "Stopped early" in talk
    accepted = server.summary()["accepted"]
    assert 4 <= accepted < ROWS
    assert statuses(program) == {"sent": accepted, left(kind): ROWS - accepted}

    again = program(*command)
    assert again.returncode == 0, again.stderr
    assert statuses(program) == {"sent": ROWS}
    assert server.summary()["accepted"] == ROWS


def test_results_that_cannot_be_written_in_the_end_are_told_after_the_report(
    kind: str, ready: Ready, program: Program
) -> None:
    server, command = ready("--latency", "200ms")
    folder = program.folder / "out"
    folder.mkdir()
    process = program.start(*command, "--results", "out/r.csv")
    server.await_requests(5)
    folder.rmdir()
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 3, talk
    assert f"{ROWS}  (accepted by the API)" in talk
    assert "bulksend results campaign.run -o campaign.all-results.csv" in talk
    assert program("results", "campaign.run", "-o", "now.csv").returncode == 0
    assert statuses(program, "now.csv") == {"sent": ROWS}
    assert kind in {"send", "resend"}


def test_a_run_that_was_sent_without_keys_is_sent_again_without(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(2))  # more take long, for a server that says nothing is given time
    lossy = sandbox("--legacy", "--lose-answers", "1")
    program(*send_to(lossy, "--no-dedup", "--max-errors", "100%"))
    assert program(*RESEND).returncode == 3  # none was accepted
    assert [record["clientDedup"] for record in lossy.log()] == [None] * 4


def test_a_run_whose_messages_had_keys_is_sent_again_with_them_whatever_came_since(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(2))
    lossy = sandbox("--legacy", "--lose-answers", "1")
    send = ("--base-url", lossy.base_url, "--yes", "--max-errors", "100%")
    program("send", "campaign.csv", *send)
    program("send", "campaign.csv", *send, "--no-dedup")  # nothing is left for it to send
    keys = {record["to"]: record["clientDedup"] for record in lossy.log()}
    assert program(*RESEND).returncode == 3  # none was accepted
    assert len(lossy.log()) == 4
    assert all(keys[record["to"]] and record["clientDedup"] == keys[record["to"]] for record in lossy.log())


def test_a_closed_terminal_ends_also_what_waits_for_the_accounts_other_run_in_order(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(200), "first.csv")
    campaign_of(numbers(3), "second.csv")
    first = program.start(*send_to(server, "--concurrency", "4", of="first.csv"))
    server.await_requests(4)
    second = program.start(*send_to(server, "--wait", "--repeat", of="second.csv"))
    assert second.stderr is not None
    while "Waiting" not in second.stderr.readline():
        assert second.poll() is None
    second.send_signal(signal.SIGHUP)
    second.communicate(timeout=30)
    assert second.returncode == 143
    assert not (program.folder / "second.run-wal").exists()
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)


# ---- "Could not look" is not "not there" ----


class Partial(BaseHTTPRequestHandler):
    """An API that takes messages, and whose list answers what the test says."""

    list_status = 500
    list_body = b"oops"
    posts: list[bytes]

    def do_GET(self) -> None:
        self._answer(self.list_status, self.list_body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posts.append(body)
        sent = json.loads(body)
        answer = {"error": "", "messageId": f"SMS{len(self.posts)}", "to": sent["to"], "message": sent["message"]}
        self._answer(200, json.dumps(answer).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def in_doubt(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> Iterator[Callable[[int, bytes], type[Partial]]]:
    """Three rows in doubt, and then an API in the same place whose list answers so."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: bytes) -> type[Partial]:
        campaign_of(numbers(3))
        lossy = sandbox("--legacy", "--lose-answers", "1")
        program(*send_to(lossy))
        lossy.end()
        api = type("Api", (Partial,), {"list_status": status, "list_body": body, "posts": []})
        server = ThreadingHTTPServer(("127.0.0.1", int(lossy.base_url.rsplit(":", 1)[1])), api)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return api

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


InDoubt = Callable[[int, bytes], type[Partial]]
UNREADABLE = [
    (500, b"oops", "the server did not answer"),
    (401, b'{"error": "Invalid Token"}', "the server refused the key"),
    (200, b"<html>", "what the server answered is none"),
]


@pytest.mark.parametrize(("status", "body", "says"), UNREADABLE)
def test_a_list_that_could_not_be_read_is_not_an_empty_one(
    in_doubt: InDoubt, program: Program, status: int, body: bytes, says: str
) -> None:
    in_doubt(status, body)
    looked = program("resolve", "campaign.run")
    assert looked.returncode == 3
    assert f"The API's list could not be read: {says}" in looked.stderr
    assert "None of the 3" not in looked.stderr
    assert statuses(program) == {"unknown": 3}


@pytest.mark.parametrize(("status", "body", "says"), UNREADABLE)
def test_without_a_terminal_what_could_not_be_looked_up_is_sent_again_only_if_that_is_said(
    in_doubt: InDoubt, program: Program, status: int, body: bytes, says: str
) -> None:
    api = in_doubt(status, body)
    refused = program("resolve", "campaign.run", "--resend", "--yes")
    assert refused.returncode == 2
    assert f"nothing was sent: the API's list could not be read: {says}" in refused.stderr
    assert "--unseen" in refused.stderr
    assert api.posts == []
    sent = program("resolve", "campaign.run", "--resend", "--yes", "--unseen")
    assert sent.returncode == 0, sent.stderr
    assert len(api.posts) == 3
    assert statuses(program) == {"sent": 3}


def test_a_server_that_has_no_list_is_only_said(in_doubt: InDoubt, program: Program) -> None:
    api = in_doubt(404, b"")
    looked = program("resolve", "campaign.run")
    assert looked.returncode == 1
    assert "This server has no list of messages to look in" in looked.stderr
    assert "None of the 3" not in looked.stderr
    assert program("resolve", "campaign.run", "--resend", "--yes").returncode == 0
    assert len(api.posts) == 3


def test_a_list_that_was_looked_through_says_what_is_not_there(in_doubt: InDoubt, program: Program) -> None:
    in_doubt(200, b'{"messages": [], "hasNextPage": false}')
    looked = program("resolve", "campaign.run")
    assert looked.returncode == 1
    assert "None of the 3 was found in the API's list." in looked.stderr


def test_a_server_that_is_away_is_not_an_empty_list(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(3))
    lossy = sandbox("--legacy", "--lose-answers", "1")
    program(*send_to(lossy))
    lossy.end()
    looked = program("resolve", "campaign.run")
    assert looked.returncode == 3
    assert "The API's list could not be read: the server did not answer" in looked.stderr


@pytest.mark.parametrize(("answer", "code", "sent"), [("y", 0, 3), ("n", 3, 0)])
def test_on_a_terminal_the_question_says_that_nobody_could_look(
    in_doubt: InDoubt, program: Program, answer: str, code: int, sent: int
) -> None:
    api = in_doubt(500, b"oops")
    ended, asked = program.answered("resolve", "campaign.run", "--resend", "--yes", answer=answer)
    assert "could not be read: the server did not answer. Send 3 messages again, some of which may" in asked
    assert ended == code
    assert len(api.posts) == sent
