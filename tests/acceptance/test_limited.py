"""What a person limits and is asked: money, errors, rows; over all commands of a run, whatever the server says."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to


def statuses(program: Program) -> Counter[str]:
    return Counter(row["status"] for row in program.results())


# ---- Money ----


def test_a_price_three_times_the_planned_one_costs_no_more_than_was_allowed(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    (program.folder / "real.csv").write_text("prefix,microUSD\n63,60000\n")
    server = sandbox("--latency", "50ms", "--rates", f"{program.folder / 'real.csv'}")
    campaign_of(numbers(100))
    stopped = program(*send_to(server, "--max-cost", "1", "--json"))
    assert stopped.returncode == 3
    assert "--max-cost" in stopped.stderr
    told = json.loads(stopped.stdout)
    assert told["estimateMicro"] == 16 * 60_000
    assert statuses(program) == {"sent": 16, "pending": 84}


class Fickle(BaseHTTPRequestHandler):
    """An API that answers as its test says; its refusals have the structure of an answer, costs included."""

    protocol_version = "HTTP/1.1"
    answers: Callable[[int, str], tuple[int, dict[str, object]]]
    calls: Counter[str]
    lock: Lock

    def do_GET(self) -> None:
        self._answer(404, {})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            self.calls[sent["to"]] += 1
            count = self.calls.total()
        status, fields = type(self).answers(count, sent["to"])
        self._answer(status, {"error": "", "to": sent["to"], "message": sent["message"]} | fields)

    def _answer(self, status: int, fields: dict[str, object]) -> None:
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fickle() -> Callable[..., tuple[str, type[Fickle]]]:
    """Starts such servers."""

    def start(answers: Callable[[int, str], tuple[int, dict[str, object]]]) -> tuple[str, type[Fickle]]:
        made = type(
            "Made", (Fickle,), {"answers": staticmethod(answers), "calls": Counter(), "lock": Lock()}
        )  # fmt: skip
        server = ThreadingHTTPServer(("127.0.0.1", 0), made)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", made

    return start


COST = {"estimateParts": 1, "estimateMicro": 20_000, "estimate": "0.02"}


def test_what_was_refused_is_not_charged_whatever_the_refusal_says(
    program: Program, fickle: Callable[..., tuple[str, type[Fickle]]], campaign_of: CampaignOf, numbers: Numbers
) -> None:
    def answers(count: int, _: str) -> tuple[int, dict[str, object]]:
        return (400, {"error": "no"} | COST) if count % 2 else (200, {"messageId": f"SMS{count}"} | COST)

    base_url, _ = fickle(answers)
    campaign_of(numbers(20))
    sent = program("send", "campaign.csv", "--base-url", base_url, "--yes", "--concurrency", "1", "--json")
    assert sent.returncode == 1
    assert json.loads(sent.stdout)["estimateMicro"] == 10 * 20_000
    assert json.loads(program("status", "campaign.run", "--json").stdout)["estimateMicro"] == 10 * 20_000


@pytest.mark.parametrize("cost", [{}, {"estimateMicro": 0, "estimate": "0.00", "estimateParts": 1}])
def test_where_answers_tell_no_cost_the_plans_price_counts_also_over_commands(
    program: Program,
    fickle: Callable[..., tuple[str, type[Fickle]]],
    campaign_of: CampaignOf,
    numbers: Numbers,
    cost: dict[str, object],
) -> None:
    base_url, made = fickle(lambda count, _: (200, {"messageId": f"SMS{count}"} | cost))
    campaign_of(numbers(50))
    send = ("send", "campaign.csv", "--base-url", base_url, "--yes", "--max-cost", "0.20")
    for _ in range(3):
        assert program(*send).returncode == 3
        assert made.calls.total() == 10


def test_the_budget_does_not_end_a_run_while_what_is_under_way_may_be_refused(
    program: Program, fickle: Callable[..., tuple[str, type[Fickle]]], campaign_of: CampaignOf, numbers: Numbers
) -> None:
    def answers(count: int, to: str) -> tuple[int, dict[str, object]]:
        return (200, {"messageId": f"SMS{count}"} | COST) if int(to) % 4 == 3 else (400, {"error": f"no {to}"})

    base_url, _ = fickle(answers)
    campaign_of(numbers(40))
    sent = program("send", "campaign.csv", "--base-url", base_url, "--yes", "--max-cost", "0.20", "--max-errors", "99")
    assert sent.returncode == 1, sent.stderr
    assert statuses(program) == {"sent": 10, "rejected": 30}


# ---- Errors ----


def test_errors_are_counted_over_all_commands_of_a_run(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--fail", "400=0.5", "--seed", "1")
    campaign_of(numbers(200))
    send = send_to(server, "--concurrency", "4", "--max-errors")
    stopped = program(*send, "10")
    assert stopped.returncode == 3
    assert "it goes on only with a higher one" in stopped.stderr
    assert "run the same command again" not in stopped.stderr
    requests = server.summary()["requests"]
    again = program(*send, "10")
    assert again.returncode == 3
    assert server.summary()["requests"] == requests
    higher = program(*send, "30")
    assert higher.returncode == 3
    assert 31 <= statuses(program)["rejected"] <= 31 + 4


def test_a_row_in_doubt_is_an_error_where_it_cannot_be_repeated(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "0.3", "--seed", "2")
    campaign_of(numbers(200))
    send = send_to(server, "--concurrency", "4", "--max-errors", "2")  # after each of which it pauses for a second
    stopped = program(*send)
    assert stopped.returncode == 3
    assert "more than --max-errors 2" in stopped.stderr
    assert 3 <= statuses(program)["unknown"] <= 3 + 4


# ---- What is asked is what is done ----


def leaves_ten_in_doubt(program: Program, server: SandboxServer, campaign_of: CampaignOf, numbers: list[str]) -> None:
    """A run whose server knows keys; three rows are sent, ten were under way when it was killed, three are pending."""
    campaign_of(numbers)
    send = send_to(server, "--concurrency", "10")
    server.answer(at_once=True)
    assert program(*send, "--limit", "2").returncode == 0
    server.answer()
    process = program.start(*send)
    server.await_requests(3)
    server.answer()
    server.await_requests(13)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    server.answer(at_once=True)


def test_rows_in_doubt_are_sent_again_only_if_that_was_asked(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "60s")
    leaves_ten_in_doubt(program, server, campaign_of, numbers(16))
    send = ("send", "campaign.csv", "--base-url", server.base_url)
    code, seen = program.answered(*send, answer="n")
    assert code == 3
    assert "Send 3 messages ($0.06 estimated) and settle 10 rows in doubt?" in seen
    assert server.summary()["requests"] == 13
    code, _ = program.answered(*send, answer="y")
    assert code == 0
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(16), 1)


def test_the_question_promises_no_repeat_that_would_not_be_safe(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "0.3", "--seed", "2")
    campaign_of(numbers(30))
    program(*send_to(server, "--limit", "20"))
    assert statuses(program)["unknown"]
    code, seen = program.answered("send", "campaign.csv", "--base-url", server.base_url, answer="n")
    assert code == 3
    assert "Send 10 messages ($0.20 estimated)?" in seen


def test_a_limit_holds_for_rows_in_doubt_too(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "60s")
    leaves_ten_in_doubt(program, server, campaign_of, numbers(16))
    program(*send_to(server, "--limit", "5"))
    assert server.summary()["requests"] == 13 + 3 + 2  # what is pending first
