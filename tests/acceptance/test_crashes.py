"""Whatever dies, and whenever: no SMS goes twice, none is lost, and what cannot be known is said.

Each test crashes the real program many times against a hostile server, lets it finish, and reads the server's log.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from changing import change_everything
from crashing import (
    CONCURRENCY,
    ENDING,
    PLANNING,
    SENDING,
    STOP,
    Campaign,
    campaign,
    crash_at_points,
    crash_at_random,
    opt_out_at_random,
    rows_of,
)
from hostile import Hostile, Settings
from judging import CAP, WINDOW_S, Row, cap_violations

PROGRAMS_AT_ONCE = 3  # in each of the workers that the tests may have
WELL = Settings(latency_s=0.02)


def in_parallel(stories: Sequence[Callable[[], Campaign]]) -> list[Campaign]:
    with ThreadPoolExecutor(PROGRAMS_AT_ONCE) as pool:
        return list(pool.map(lambda story: story(), stories))


def judge(told: Sequence[Campaign], at_least: int) -> None:
    crashes = sum(run.crashes for run in told)
    print(f"{crashes} crashes in {sum(len(run.codes) for run in told)} runs of {len(told)} campaigns")  # noqa: T201
    wrong = [f"{run.folder.name} {run.codes}: {violation}" for run in told for violation in run.found]
    assert not wrong, "\n".join(wrong[:20])
    assert crashes >= at_least


def schedule(seed: int) -> list[tuple[str, int]]:
    """Every point comes up in each few schedules: one of planning, six of sending, one of the end."""
    rng = random.Random(seed)
    sending = [SENDING[(seed * 6 + step) % len(SENDING)] for step in range(6)]
    rng.shuffle(sending)
    return [
        (PLANNING[seed % len(PLANNING)], 1),
        *((point, 1 if "take-over" in point else rng.randint(1, 6)) for point in sending),
        (ENDING[seed % len(ENDING)], rng.randint(1, 30) if ENDING[seed % len(ENDING)] == "during results" else 1),
    ]


# -- SIGKILL


@pytest.mark.long
@pytest.mark.parametrize("knows_dedup", [True, False], ids=["dedup echoed", "dedup unknown"])
def test_killed_at_every_named_point_nothing_goes_twice_and_nothing_is_lost(tmp_path: Path, knows_dedup: bool) -> None:
    def story(seed: int) -> Campaign:
        return crash_at_points(seed, tmp_path / str(seed), knows_dedup=knows_dedup, points=schedule(seed))

    told = in_parallel([lambda seed=seed: story(seed) for seed in range(6)])  # type: ignore[misc]
    came_to: Counter[str] = Counter()
    for seed, run in enumerate(told):
        came_to.update(
            point for (point, _), code in zip(schedule(seed), run.codes, strict=False) if code == -signal.SIGKILL
        )
    judge(told, at_least=36)
    assert all(came_to[point] >= 1 for point in PLANNING + SENDING + ENDING), came_to


# In each of these most of what is drawn befalls the program while it sends, and one has storms of errors.
RANDOM = {"dedup echoed": (True, (100, 112, 121)), "dedup unknown": (False, (112, 119, 121))}


@pytest.mark.parametrize(("knows_dedup", "seeds"), RANDOM.values(), ids=RANDOM)
def test_killed_paused_and_interrupted_at_random_moments_nothing_goes_twice_and_nothing_is_lost(
    tmp_path: Path, knows_dedup: bool, seeds: Sequence[int]
) -> None:
    def story(seed: int) -> Campaign:
        return crash_at_random(seed, tmp_path / str(seed), knows_dedup=knows_dedup, times=5)

    judge(in_parallel([lambda seed=seed: story(seed) for seed in seeds]), at_least=6)  # type: ignore[misc]


@pytest.mark.long
def test_whoever_opts_out_at_whatever_moment_gets_nothing_more_and_the_others_theirs(tmp_path: Path) -> None:
    """With kills, retries, rows in doubt that are repeated, and rows that wait for their phone's cap."""
    told = in_parallel(
        [lambda seed=seed: opt_out_at_random(seed, tmp_path / str(seed), times=3) for seed in range(300, 303)]  # type: ignore[misc]
    )
    judge(told, at_least=3)
    assert all(run.statuses().count("skipped") >= 10 for run in told)


@pytest.mark.long
def test_whatever_changes_from_command_to_command_nothing_goes_twice_and_nothing_is_lost(tmp_path: Path) -> None:
    """Server, prices, options, files and clock, with equal rows, contacts and senders."""

    def story(seed: int) -> Campaign:
        return change_everything(seed, tmp_path / str(seed), turns=5)

    judge(in_parallel([lambda seed=seed: story(seed) for seed in range(200, 203)]), at_least=3)  # type: ignore[misc]


@pytest.mark.long
def test_what_was_lost_after_an_echo_is_repeated_by_a_command_that_sees_another(tmp_path: Path) -> None:
    rows = [Row(f"4915112345{number:03}", f"row {number} {'SLOW' * (number == 1)}") for number in range(1, 25)]
    with campaign(tmp_path / "c", Settings(weights={"ok": 2, "lost-after": 1}, calm_after=1), rows) as run:
        run.options = ("--limit", "14", "--retries", "0")
        assert run.run() == 1
        assert run.statuses().count("unknown") > 1
        run.options = ()
        run.finish()
        assert run.violations() == []
        assert set(run.statuses()) == {"sent"}


@pytest.mark.long
def test_killed_again_and_again_the_cap_of_one_phone_is_never_exceeded(tmp_path: Path) -> None:
    def story(seed: int) -> Campaign:
        rng = random.Random(seed)
        rows = [Row("639171234500", f"row {number} {seed}") for number in range(1, 21)]
        settings = Settings(seed=seed, weights={"ok": 4, "slow": 4, "hang-after": 1})
        with campaign(tmp_path / str(seed), settings, rows) as run:
            for _ in range(6):
                point = rng.choice([point for point in SENDING if "take-over" not in point])
                run.run(point, rng.randint(1, 3))
            run.finish()
            run.found = run.violations()
            return run

    judge(in_parallel([lambda seed=seed: story(seed) for seed in range(3)]), at_least=15)  # type: ignore[misc]


@pytest.mark.long
def test_slots_are_held_from_the_answers_on_as_the_first_may_have_arrived_late(tmp_path: Path) -> None:
    rows = [Row("639171234500", f"row {number} {'SLOW' * (number <= CAP)}") for number in range(1, 2 * CAP + 1)]
    with campaign(tmp_path / "c", Settings(), rows) as run:
        run.finish()
        assert run.violations() == []


@pytest.mark.long
def test_two_campaigns_of_one_account_killed_in_turns_keep_the_cap_together(tmp_path: Path) -> None:
    with Hostile(tmp_path / "server.log", WELL) as server:
        two = [
            Campaign(
                tmp_path / name,
                server,
                [Row("639171234500", f"{name} {number}") for number in range(1, 13)],
                state=tmp_path / "state",
            )
            for name in ("one", "other")
        ]
        for point, nth in [("mid-request", 3), ("before outcome commit", 1), ("after intent commit", 1)]:
            assert [run.run(point, nth) for run in two] == [-signal.SIGKILL] * 2
        for run in two:
            run.finish()
        assert sum(len(run.found) for run in two) == 0
        assert list(cap_violations(server)) == []
        assert len(server.records("accepted")) == 24


@pytest.mark.long
def test_an_intent_that_ran_ahead_holds_its_slot_for_as_long_as_its_post_may_arrive(tmp_path: Path) -> None:
    hot = "639171234500"
    rows = [Row(f"4915112345{number:03}", f"row {number}") for number in range(1 + 2 * CONCURRENCY)]
    rows += [Row(hot, f"hot {number}") for number in range(CONCURRENCY)]
    slow = ("--timeout", "2")
    with Hostile(tmp_path / "server.log", Settings(latency_s=1.5)) as server:
        one = Campaign(tmp_path / "one", server, rows, slow, state=tmp_path / "state")
        other = Campaign(
            tmp_path / "other", server, [Row(hot, f"more {n}") for n in range(CAP)], slow, state=tmp_path / "state"
        )
        # The first answer proves clientDedup; from then on the next intents are committed while workers are busy.
        assert one.run("after the answer", 1 + 2 * CONCURRENCY + 1) == -signal.SIGKILL
        time.sleep(0.05)
        arrived = [record["at"] for record in server.records("accepted") if record["to"] == hot]
        asked = len(server.records("request"))
        assert len(arrived) == CONCURRENCY
        process = other.start()
        assert other.await_requests(process, asked + CAP - CONCURRENCY + 1)
        process.kill()
        other.end(process)
        times = sorted([*arrived, *(record["at"] for record in server.records("request")[asked:])])
        assert times[CAP] - times[0] >= WINDOW_S


@pytest.mark.long
def test_a_shorter_timeout_does_not_shorten_the_slots_of_the_killed_run(tmp_path: Path) -> None:
    rows = [Row("639171234500", f"row {number}") for number in range(1, 13)]
    with campaign(tmp_path / "c", Settings(latency_s=2.0), rows, "--timeout", "5") as run:
        assert run.run("after the answer", 2) == -signal.SIGKILL
        arrived = [record["at"] for record in run.server.records("request")]
        assert len(arrived) == min(CAP, 1 + CONCURRENCY)  # the first goes alone
        run.options = ("--timeout", "0.3")
        process = run.start()
        assert run.await_requests(process, CAP + 1)
        process.kill()
        run.end(process)
        assert run.server.records("request")[CAP]["at"] - arrived[0] >= WINDOW_S


@pytest.mark.long
def test_rows_in_doubt_that_are_sent_again_on_request_keep_the_cap(tmp_path: Path) -> None:
    rows = [Row("639171234500", f"row {number}") for number in range(1, CAP + 1)]
    settings = Settings(knows_dedup=False, weights={"lost-after": 1}, calm_after=1)
    with campaign(tmp_path / "c", settings, rows) as run:
        run.run()
        assert run.statuses() == ["unknown"] * CAP
        caps = ("--cap", f"63={CAP}/{WINDOW_S:g}", "--timeout", "0.6")
        assert run.resolve("--resend", "--yes", *caps) == 0, run.said
        run.finish()
        assert len(run.server.records("accepted")) == 2 * CAP
        assert list(cap_violations(run.server)) == []


@pytest.mark.long
def test_a_post_that_leaves_long_after_its_intent_holds_its_slot_across_a_kill(tmp_path: Path) -> None:
    rows = [Row("639171234500", f"row {number}") for number in range(1, 13)]
    with campaign(tmp_path / "c", Settings(latency_s=0.2), rows) as run:
        process = run.start_anew(STOP, 1)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        time.sleep(2.0)  # the machine sleeps; its longest request and the cap's window pass meanwhile
        process.send_signal(signal.SIGCONT)
        assert run.await_requests(process, CONCURRENCY)
        process.kill()
        assert run.end(process) == -signal.SIGKILL
        run.finish()
        assert list(cap_violations(run.server)) == []


# -- Servers that are ill in ways of their own


@pytest.mark.long
def test_an_answer_that_speaks_of_another_message_is_not_taken_for_ours(tmp_path: Path) -> None:
    settings = Settings(weights={"twice": 1}, calm_after=2)
    rows = [row for row in rows_of(40, random.Random(6), crowded=0) if not row.is_rejected]
    with campaign(tmp_path / "c", settings, rows) as run:
        run.finish()
        assert run.violations() == []


@pytest.mark.long
def test_where_the_api_lists_its_messages_whatever_was_accepted_is_found_after_all(tmp_path: Path) -> None:
    settings = Settings(
        knows_dedup=False, knows_list=True, weights={"ok": 6, "lost-before": 1, "lost-after": 2, "hang-after": 1}
    )
    with campaign(tmp_path / "c", settings, rows_of(40, random.Random(3))) as run:
        for point in ("mid-request", "after the answer", "before outcome commit"):
            assert run.run(point, 3) == -signal.SIGKILL
        assert run.run() == 1
        accepted = {record["text"] for record in run.server.records("accepted")}
        assert {row.text for row, status in zip(run.rows, run.statuses(), strict=True) if status == "sent"} == accepted
        assert "unknown" in run.statuses()
        assert [found for found in run.violations() if "accepted" in found or "sent as" in found] == []


@pytest.mark.long
def test_a_storm_of_errors_stops_the_run_and_the_same_command_finishes_after_it(tmp_path: Path) -> None:
    storm = Settings(knows_dedup=True, storm_every_s=100.0, storm_s=2.0)
    with campaign(tmp_path / "c", storm, rows_of(60, random.Random(1), crowded=0)) as run:
        run.finish()
        assert run.violations() == []


# -- Durability


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def nothing_unnoted(run: Campaign) -> None:
    """All that the server accepted has an intent in the run file."""
    accepted = {record["text"] for record in run.server.records("accepted")}
    path = run.folder / "campaign.run"
    if path.exists():
        with closing(sqlite3.connect(path)) as db:  # also recovers what a kill left
            accepted -= {text for (text,) in db.execute("SELECT text FROM messages JOIN sends USING (row)")}
    assert accepted == set()


def free_s(disk: Path, size: int) -> None:
    """Leave only so many bytes free."""
    found = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(max(found.f_bavail * found.f_frsize - size, 0)))


@pytest.mark.long
@pytest.mark.parametrize("free", [4_096, 40_960, 61_440, 81_920, 122_880])
def test_a_full_disk_stops_the_run_at_once_and_with_space_it_finishes(
    tmp_path: Path, small_disk: Path, free: int
) -> None:
    with campaign(tmp_path / "log", WELL, rows_of(60, random.Random(free), crowded=0)) as run:
        run.folder = small_disk / "campaign"
        run.__post_init__()
        assert run.run("after outcome commit", 1) == -signal.SIGKILL
        free_s(small_disk, free)
        code = run.end_of_trouble(run.start())
        assert code in (2, 3), run.said
        assert len(run.server.records("accepted")) < 60
        nothing_unnoted(run)
        (small_disk / "ballast").unlink()
        run.finish()
        assert run.violations() == []


@pytest.mark.long
def test_no_space_for_the_plan_means_that_nothing_is_sent(tmp_path: Path, small_disk: Path) -> None:
    with campaign(tmp_path / "log", WELL, rows_of(60, random.Random(1), crowded=0)) as run:
        run.folder = small_disk / "campaign"
        run.__post_init__()
        free_s(small_disk, 8_192)
        assert run.end_of_trouble(run.start()) in (2, 3)
        assert run.server.records("request") == []
        (small_disk / "ballast").unlink()
        run.finish()
        assert run.violations() == []


@pytest.mark.long
@pytest.mark.parametrize("more", [36_000, 60_000, 100_000])
def test_a_file_that_may_not_grow_stops_the_run_at_once(tmp_path: Path, more: int) -> None:
    with campaign(tmp_path / "c", WELL, rows_of(60, random.Random(more), crowded=0)) as run:
        assert run.run("after outcome commit", 1) == -signal.SIGKILL
        size = (run.folder / "campaign.run").stat().st_size
        process = run.start_anew(
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (max(size, more), max(size, more)))
        )
        assert run.end_of_trouble(process) in (2, 3), run.said
        nothing_unnoted(run)
        run.finish()
        assert run.violations() == []


@pytest.mark.long
def test_a_disk_that_became_read_only_sends_nothing_and_writable_again_it_finishes(
    tmp_path: Path, small_disk: Path
) -> None:
    with campaign(tmp_path / "log", WELL, rows_of(40, random.Random(2), crowded=0)) as run:
        run.folder = small_disk / "campaign"
        run.__post_init__()
        assert run.run("after outcome commit", 2) == -signal.SIGKILL
        asked = len(run.server.records("request"))
        remount(small_disk, "ro")
        assert run.end_of_trouble(run.start()) in (2, 3)
        assert len(run.server.records("request")) == asked
        remount(small_disk, "rw")
        run.finish()
        assert run.violations() == []


@contextmanager
def broken(run: Campaign, change: str, after: int, rows: str) -> Iterator[None]:
    """The run file can no more be changed in this way once it has so many such rows, as if the disk failed."""
    with closing(sqlite3.connect(run.folder / "campaign.run", isolation_level=None)) as db:
        db.execute(
            f"CREATE TRIGGER broken BEFORE {change} ON sends "
            f"WHEN new.{rows} AND (SELECT count(*) FROM sends WHERE {rows}) >= {after} "
            "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    yield
    with closing(sqlite3.connect(run.folder / "campaign.run", isolation_level=None)) as db:
        db.execute("DROP TRIGGER broken")


@pytest.mark.parametrize("after", [0, 1, 20])
def test_an_intent_that_cannot_be_noted_is_not_sent_and_stops_the_run(tmp_path: Path, after: int) -> None:
    with campaign(tmp_path / "c", WELL, rows_of(40, random.Random(after), crowded=0)) as run:
        assert run.run("before outcome commit", 1) == -signal.SIGKILL  # so the run has begun, with rows in doubt
        with broken(run, "INSERT", CONCURRENCY + after, "state <> ''"):
            assert run.end_of_trouble(run.start()) == 3
        assert len(run.server.records("accepted")) <= after + CONCURRENCY  # these are the killed program's
        nothing_unnoted(run)
        run.finish()
        assert run.violations() == []


@pytest.mark.long
@pytest.mark.parametrize("after", [1, 10])
def test_an_outcome_that_cannot_be_noted_stops_the_run_and_is_not_told(tmp_path: Path, after: int) -> None:
    with campaign(tmp_path / "c", WELL, rows_of(40, random.Random(after), crowded=0)) as run:
        assert run.run("before outcome commit", 1) == -signal.SIGKILL
        with broken(run, "UPDATE", after, "state = 'sent'"):
            assert run.end_of_trouble(run.start()) == 3
            assert "in flight" not in {record["status"] for record in run.results()}
        ids = {record["text"]: record["id"] for record in run.server.records("accepted")}
        assert after <= len(ids) < 40 - CONCURRENCY
        assert {record["messageId"] for record in run.results() if record["status"] == "sent"} <= set(ids.values())
        nothing_unnoted(run)
        run.finish()
        assert run.violations() == []


@pytest.mark.long
def test_while_another_program_holds_the_run_file_nothing_more_is_sent(tmp_path: Path) -> None:
    with campaign(tmp_path / "c", Settings(latency_s=0.05), rows_of(60, random.Random(3), crowded=0)) as run:
        process = run.start()
        assert run.await_requests(process, 8)
        with closing(sqlite3.connect(run.folder / "campaign.run", isolation_level=None, timeout=10)) as db:
            db.execute("BEGIN IMMEDIATE")
            time.sleep(0.2)
            asked = len(run.server.records("request"))
            time.sleep(1.0)
            assert len(run.server.records("request")) == asked < 60
            nothing_unnoted(run)
            db.execute("ROLLBACK")
        assert run.end(process) in (0, 1)
        run.finish()
        assert run.violations() == []


# -- One owner


@pytest.mark.long
def test_a_second_process_is_turned_away_also_while_the_first_stands_still(tmp_path: Path) -> None:
    with campaign(tmp_path / "c", Settings(latency_s=0.05), rows_of(60, random.Random(4), crowded=0)) as run:
        first = run.start()
        assert run.await_requests(first, 8)
        seconds = [run.start() for _ in range(3)]
        first.send_signal(signal.SIGSTOP)
        run.cut_off_at.append(time.time())
        ends = [(process.communicate(timeout=30)[1], process.returncode) for process in seconds]
        first.send_signal(signal.SIGCONT)
        assert [code for _, code in ends] == [4, 4, 4], ends
        assert all(str(first.pid) in said for said, _ in ends), ends
        run.end(first)
        run.finish()
        assert run.violations() == []


@pytest.mark.long
def test_two_processes_that_start_at_once_send_each_row_once(tmp_path: Path) -> None:
    # It takes 3 s, so that the last one comes while the first is at work also where starting takes long.
    with campaign(tmp_path / "c", Settings(latency_s=0.3), rows_of(40, random.Random(5), crowded=0)) as run:
        processes = [run.start() for _ in range(3)]
        codes = []
        for process in processes:
            process.communicate(timeout=60)
            codes.append(process.returncode)
        assert set(codes) <= {0, 1, 4}, codes
        assert 4 in codes
        run.finish()
        assert run.violations() == []
