"""Whatever befalls the workers of a run, and whenever: no SMS goes twice, none is lost, and every cap is kept.

Each test crashes, stops and cuts off real workers on a real PostgreSQL, lets others finish, and reads the server's log.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from armed import DEALING, SENDING
from crashing import STOPPED
from databases import Cluster, own
from faults import befall

from bulksend.runs.postgres import install

Story = Callable[..., None]
STORIES = 6
"""So many are drawn, of some twelve faults each; the first is everybody's, the others are CI's."""


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with own() as cluster:
        yield cluster


@pytest.fixture
def story(tmp_path: Path, request: pytest.FixtureRequest) -> Story:
    """Has a story happen, drawn from the seed that the test run's header names, and judges it."""

    def tell(number: int, faults: int = 14, *, cluster: Cluster | None = None, points: Sequence[str] = ()) -> None:
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
        assert len(team.faults) > faults / 2, befell
        assert {f"killed {point}".replace("killed stopped", "stopped") for point in points} <= {*team.faults}, befell

    return tell


def test_whatever_befalls_workers_nothing_goes_twice_and_nothing_is_lost(story: Story, own_cluster: Cluster) -> None:
    story(1, 9, cluster=own_cluster)


@pytest.mark.long
@pytest.mark.parametrize("number", range(2, STORIES, 3))
def test_on_a_database_that_is_stopped_as_well(story: Story, own_cluster: Cluster, number: int) -> None:
    story(number, cluster=own_cluster)


@pytest.mark.long
@pytest.mark.parametrize("number", [number for number in range(3, STORIES) if number % 3 != 2])
def test_killed_stopped_and_cut_off_everything_is_sent_once_or_in_doubt(story: Story, number: int) -> None:
    story(number)


@pytest.mark.long
@pytest.mark.parametrize("how", ["", STOPPED], ids=["killed", "stopped past their leases"])
@pytest.mark.parametrize("first", [0, 1])
def test_at_every_named_point_nothing_goes_twice_and_nothing_leaves_late(story: Story, how: str, first: int) -> None:
    points = (DEALING + SENDING)[first::2]
    story(101, points=[how + point for point in points])
