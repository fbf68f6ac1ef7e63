"""Whatever befalls the workers of a run, and whenever: no SMS goes twice, none is lost, and every cap is kept.

Each test crashes, stops and cuts off real workers on a real PostgreSQL, lets others finish, and reads the server's log.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from armed import DEALING, SENDING
from crashing import ROOT, STOPPED
from databases import Cluster, own
from faults import befall

from bulksend.runs.postgres import install

Story = Callable[..., None]
FIRST = 10
"""So many faults befall workers in the story that is told wherever tests run."""
STORIES = {2: 17, 5: 17}
"""And so many in those that CI tells of a database that may be stopped, by their numbers."""
OTHERS = {3: 17, 4: 17}
"""And in those of others."""
NAMED = ((DEALING + SENDING)[::2], (DEALING + SENDING)[1::2])
HOW = {"killed": "", "stopped past their leases": STOPPED}
CI_FAULTS = 100


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with own() as cluster:
        yield cluster


@pytest.fixture
def story(tmp_path: Path, request: pytest.FixtureRequest) -> Story:
    """Has a story happen, drawn from the seed that the test run's header names, and judges it."""

    def tell(number: int, faults: int, *, cluster: Cluster | None = None, points: Sequence[str] = ()) -> None:
        seed = random.Random(f"{request.config.option.hypothesis_seed}:{number}").getrandbits(32)
        if cluster is None:
            database = request.getfixturevalue("database")
        else:
            database = cluster.server.database()
            install(database)
        knows_dedup, contacts = number % 2 == 0, number % 3 > 0
        team = befall(
            seed, tmp_path / "team", database, cluster,
            knows_dedup=knows_dedup, faults=faults, points=points, contacts=contacts,
        )  # fmt: skip
        befell = f"{len(team.faults)} faults of {team.size} workers, seed {seed}: {', '.join(team.faults)}"
        unknowable = sum(not crowd.is_known for crowd in team.crowds)
        print(f"{befell}; {unknowable} crowds of which nobody could know")  # noqa: T201
        assert not team.found, "\n".join([befell, *team.found[:10]])
        assert len(team.faults) >= faults, befell

    return tell


def test_whatever_befalls_workers_nothing_goes_twice_and_nothing_is_lost(story: Story, own_cluster: Cluster) -> None:
    story(1, FIRST, cluster=own_cluster)


@pytest.mark.long
@pytest.mark.parametrize("number", STORIES)
def test_on_a_database_that_is_stopped_as_well(story: Story, own_cluster: Cluster, number: int) -> None:
    story(number, STORIES[number], cluster=own_cluster)


@pytest.mark.long
@pytest.mark.parametrize("number", OTHERS)
def test_killed_stopped_and_cut_off_everything_is_sent_once_or_in_doubt(story: Story, number: int) -> None:
    story(number, OTHERS[number])


@pytest.mark.long
@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize("points", NAMED, ids=["first", "second"])
def test_at_every_named_point_nothing_goes_twice_and_nothing_leaves_late(
    story: Story, how: str, points: tuple[str, ...]
) -> None:
    story(101, len(points), points=[how + point for point in points])


def test_ci_has_at_least_a_hundred_faults_befall_workers() -> None:
    """By these numbers: that as many befall them, each story asks of itself."""
    named = len(HOW) * sum(map(len, NAMED))
    assert FIRST + sum(STORIES.values()) + sum(OTHERS.values()) + named >= CI_FAULTS
    assert "-m pytest -m long" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
