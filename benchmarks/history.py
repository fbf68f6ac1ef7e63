"""What history costs: taking a send in, and comparing a plan with it; and how much room it takes.

Run with ``python benchmarks/history.py [ROWS [HELD [DATABASE]]]``: so many rows (default 1,000,000) are planned and
saved beside a history of so many messages (default 1,000,000), whose phones are strangers to the sheet, or all in it.
Prints a JSON object; shares are of planning and saving. With the address of a database that is made for bulksend, and
holds nothing, history lies there, and the run still in a file: so that the two can be compared.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psycopg
from planning import TEXT, write

from bulksend import campaign
from bulksend.campaign import PlanRequest, Repeating
from bulksend.campaign.lookback import look_back
from bulksend.model import PhoneNumber
from bulksend.planning import PlanOptions
from bulksend.runs import Address, History, Run, history_of, open_run
from bulksend.runs.telling import Arrived

AT_ONCE = 50_000  # messages a command
URL = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Sent:
    """As much of a run as history reads."""

    messages: list[Arrived]
    number: int

    @property
    def place(self) -> str:
        return f"/{self.number}.run"

    @property
    def facts(self) -> SimpleNamespace:
        return SimpleNamespace(plan_id=f"{self.number}")

    def arrived(self, _since_s: float) -> Iterator[Arrived]:
        return iter(self.messages)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    held = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    where = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BULKSEND_STATE_DIR"] = f"{folder}/state"
        sheet = Path(folder) / "sheet.csv"
        write(f"{sheet}", rows)
        found: dict[str, object] = {"rows": rows, "held": held}
        plan_s, look_s = planned(sheet, 1, where)
        found |= {"plan_s": round(plan_s, 2), "share_of_empty": round(look_s / plan_s, 3)}
        with history_of(where, Address(2, URL)) as history:
            found["last_50k_taken_in_s"] = round(fill(history, strangers(held)), 3)
        found["bytes_a_message"] = round(size(Path(folder), where) / held, 1)
        found["share_of_strangers"] = round(planned(sheet, 2, where)[1] / plan_s, 3)
        with history_of(where, Address(3, URL)) as history, open_run(sheet.with_suffix(".run")) as run:
            fill(history, acquaintances(run, held))
        found["share_of_acquaintances"] = round(planned(sheet, 3, where)[1] / plan_s, 3)
    print(json.dumps(found))


def size(folder: Path, where: str | None) -> int:
    """How many bytes the history takes."""
    if where is None:
        (file,) = (folder / "state").glob("*-2.history.sqlite")
        return file.stat().st_size
    with psycopg.connect(where) as db:
        found = db.execute("SELECT pg_total_relation_size('bulksend.got')").fetchone()
        return int(found[0]) if found else 0


def planned(sheet: Path, org_id: int, where: str | None) -> tuple[float, float]:
    """How long planning takes, and then the look for the screen: the best of three."""
    request = PlanRequest(
        str(sheet), PlanOptions(sender="engageSPARK", message=TEXT, country="PH"), Address(org_id, URL)
    )
    plans, looks = [], []
    for _ in range(3):
        began = time.perf_counter()
        with campaign.plan(request, sheet.with_suffix(".run")) as run:
            plans.append(time.perf_counter() - began)
            began = time.perf_counter()
            how = Repeating()
            with history_of(where, Address(org_id, URL)) as history:
                look_back(run, history, how, history.catch_up(run, closes=False))
            looks.append(time.perf_counter() - began)
    return min(plans), min(looks)


def fill(history: History, messages: Iterator[Arrived]) -> float:
    """Let history take messages in, command by command; how long the last one took."""
    taken_s, number = 0.0, 0
    while some := [message for message, _ in zip(messages, range(AT_ONCE), strict=False)]:
        number += 1
        sent = cast("Run", Sent(some, number))
        history.begin(sent, began_at=time.time() - 86_400 * 30, wall_s=0.0)
        began = time.perf_counter()
        history.absorb(sent)
        taken_s = time.perf_counter() - began
    return taken_s


def strangers(count: int) -> Iterator[Arrived]:
    """Who is in no sheet."""
    for row in range(1, count + 1):
        yield Arrived(row, PhoneNumber(f"44{7_000_000_000 + row}"), f"Hello {row}", 1.0, 0)


def acquaintances(run: Run, count: int) -> Iterator[Arrived]:
    """Who is in the sheet, and got another text."""
    recipients = [row[2] for row in run.planned() if row[2] is not None]
    for row in range(1, count + 1):
        yield Arrived(row, recipients[row % len(recipients)], f"Hello {row}", 1.0, 0)


if __name__ == "__main__":
    main()
