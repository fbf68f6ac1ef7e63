"""Campaigns whose server, options, files and clock change from one command to the next, all drawn from a seed."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crashing import SENDING, TIMEOUT_S, Campaign
from hostile import AMBIGUOUS, CERTAIN, Hostile, Settings
from judging import Row

_HOT = ("639171234500", "639171234501")  # the phones of all contacts, too
_CONTACTS = (500, 501, 502)
_PATIENCE = ("--patience", "2s")
_STEPS_S = (-7_200.0, -3.0, -0.4, 0.4, 3.0, 7_200.0, 90_000.0)


@dataclass(frozen=True)
class Turn:
    """What is otherwise for one command, and how that ends.

    Attributes:
        settings: how the server behaves.
        options: what the command is given.
        files: "moved" or "copied" to another folder before it, or "".
        step_s: by how much its clock is off.
        fate: the point at which it kills itself, "" for none, or what else befalls it.
        nth: how often it comes to that point before.
    """

    settings: Settings
    options: tuple[str, ...]
    files: str
    step_s: float
    fate: str
    nth: int


def change_everything(seed: int, folder: Path, turns: int) -> Campaign:
    """Crash a campaign while all about it changes, then let it finish at a server that is well."""
    rng = random.Random(seed)
    rows = mixed_rows(rng, rng.randint(36, 60))
    drawn = draw_turns(rng, turns, len(rows))
    folder.mkdir(parents=True, exist_ok=True)
    with Hostile(folder / "server.log", drawn[0].settings) as server:
        run = Campaign(folder / "0", server, rows, state=folder / "state")
        for place, turn in enumerate(drawn, 1):
            if run.is_settled():
                break
            server.change(turn.settings)
            _put(run, turn.files, folder / str(place))
            run.options, run.step_s = turn.options, turn.step_s
            _meet(run, turn, rng)
        server.change(replace(drawn[-1].settings, weights={"ok": 1}, latency_s=0.0, storm_every_s=0.0))
        run.options = _PATIENCE
        run.finish()
        run.found = run.violations()
        return run


def mixed_rows(rng: random.Random, count: int) -> list[Row]:
    """Rows to two crowded phones, by number and by contact, and to others; of some senders, and some of them equal."""
    rows = [Row(_HOT[0], f"row 001 {rng.getrandbits(40):010x}")]  # a budget needs one whose price is known
    for number in range(2, count + 1):
        if rng.random() < 0.15:
            rows.append(rng.choice(rows))
            continue
        kind, contact = rng.random(), 0
        to = f"49151{rng.randrange(10**6):06}{number % 100:02}"
        if kind < 0.25:
            to = rng.choice([*_HOT, _HOT[0]])
        elif kind < 0.38:
            to, contact = "", rng.choice(_CONTACTS)
        text = f"row {number:03} {rng.getrandbits(40):010x}" if rng.random() < 0.8 else "the same to all"
        text += " and so on" * 16 * (rng.random() < 0.06)
        text += " REJECT" * (rng.random() < 0.04)
        rows.append(Row(to, text, contact, rng.choice(["", "", "ACME", "Globe"])))
    return rows


def draw_turns(rng: random.Random, count: int, rows: int) -> list[Turn]:
    """What is to happen, command by command.

    In every second story the server always knows keys, and some rows are left for the end, where their echoes make
    repeats safe.
    """
    knows, has_steps = rng.random(), rng.random() < 0.66
    turns: list[Turn] = []
    for _ in range(count):
        step_s = turns[-1].step_s if turns else 0.0
        if has_steps and rng.random() < 0.3:
            step_s = rng.choice(_STEPS_S)
        fate, nth = _fate(rng)
        options = _options(rng)
        if knows < 0.5:
            options = (*_PATIENCE, "--limit", str(rng.randint(4, max(4, (rows - 4) // count))))
        turns.append(
            Turn(
                settings=_settings(rng, knows_dedup=knows < 0.5 or rng.random() < 0.6),
                options=options,
                files=rng.choice(["", "", "", "", "moved", "copied"]) if turns else "",
                step_s=step_s,
                fate=fate,
                nth=nth,
            )
        )
    return turns


def _settings(rng: random.Random, *, knows_dedup: bool) -> Settings:
    ills = rng.sample(sorted(set(AMBIGUOUS) - ({"late"} if not knows_dedup else set())), 4)
    certain = rng.sample(sorted(set(CERTAIN) - {"ok", "reject"}), 3)
    weights = {"ok": rng.choice([20, 40])} | dict.fromkeys(certain, rng.randint(1, 8)) | dict.fromkeys(ills, 4)
    if rng.random() < 0.1:
        weights["twice"] = 4
    if rng.random() < 0.08:
        weights = {"overdue": 1}  # slower than anybody waits for
    knows_list = rng.random() < 0.6
    return Settings(
        seed=rng.getrandbits(32),
        weights=weights,
        knows_dedup=knows_dedup,
        knows_list=knows_list,
        shows_refs=knows_list and rng.random() < 0.5,
        calm_after=rng.choice([2, 3, 6]),
        storm_every_s=rng.choice([0.0, 0.0, 0.0, 1.3]),
        storm_s=0.3,
        latency_s=rng.choice([0.0, 0.01, 0.04, 0.15]),
        price_factor=rng.choice([0.5, 1.0, 1.0, 1.7, 5.0]),
    )


def _options(rng: random.Random) -> tuple[str, ...]:
    found: tuple[str, ...] = _PATIENCE
    if rng.random() < 0.3:
        found += ("--concurrency", rng.choice(["1", "2", "3"]))
    if rng.random() < 0.12:
        found += ("--no-dedup",)
    if rng.random() < 0.35:
        found += ("--max-cost", f"{rng.uniform(0.1, 1.2):.2f}")
    if rng.random() < 0.15:
        found += ("--max-errors", str(rng.randint(0, 4)))
    if rng.random() < 0.15:
        found += ("--rate", str(rng.choice([15, 40, 200])))
    if rng.random() < 0.6:
        found += ("--limit", str(rng.randint(2, 18)))
    return found


def _fate(rng: random.Random) -> tuple[str, int]:
    kind = rng.random()
    if kind < 0.5:
        point = rng.choice(SENDING)
        return point, 1 if "take-over" in point else rng.randint(1, 8)
    if kind < 0.75:
        return rng.choice(["kill", "kill", "pause", "pause and kill", "interrupt", "terminate"]), rng.randint(1, 6)
    return "", 0


def _put(run: Campaign, files: str, folder: Path) -> None:
    """Move or copy the campaign with all its files; from now on it is there."""
    if files == "moved":
        run.folder.rename(folder)
    elif files == "copied":
        shutil.copytree(run.folder, folder)
    else:
        return
    run.folder = folder


def _meet(run: Campaign, turn: Turn, rng: random.Random) -> None:
    """Let a command meet its fate."""
    if not turn.fate or turn.fate in SENDING:
        run.run(turn.fate, turn.nth)
        return
    asked = len(run.server.records("request"))
    process = run.start()
    run.await_requests(process, asked + turn.nth)
    time.sleep(rng.uniform(0, 0.12))
    if turn.fate.startswith("pause"):
        run.pause(process, TIMEOUT_S + rng.uniform(0.1, 0.6))
        time.sleep(rng.uniform(0, 0.05))
    if "kill" in turn.fate:
        process.kill()
    elif turn.fate in {"interrupt", "terminate"}:
        process.send_signal(signal.SIGINT if turn.fate == "interrupt" else signal.SIGTERM)
    run.end(process)


def described(run: Campaign) -> Sequence[str]:
    """How each command of a campaign went, for people who look into a fault."""
    return [
        f"{command.code}: {' '.join(command.options)}; clock {command.step_s:+g} s; {command.settings}"
        for command in run.commands
    ]
