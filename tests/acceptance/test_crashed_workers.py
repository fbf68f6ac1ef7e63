"""Whatever befalls the workers of a run, and whenever: no SMS goes twice, none is lost, and every cap is kept.

Each test crashes, stops and cuts off real workers on a real PostgreSQL, lets others finish, and reads the server's log.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Cluster, own
from teams import befall

from bulksend.runs.postgres import install

Story = Callable[..., None]
LONG = 12
"""So many stories there are in CI, of some ten faults each; the first is everybody's."""


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with own() as cluster:
        yield cluster


@pytest.fixture
def story(tmp_path: Path, request: pytest.FixtureRequest) -> Story:
    """Has a story happen, drawn from the seed that the test run's header names, and judges it."""

    def tell(number: int, faults: int = 14, *, cluster: Cluster | None = None) -> None:
        seed = random.Random(f"{request.config.option.hypothesis_seed}:{number}").getrandbits(32)
        if cluster is None:
            database = request.getfixturevalue("database")
        else:
            database = cluster.server.database()
            install(database)
        team = befall(seed, tmp_path / "team", database, cluster, knows_dedup=number % 2 == 0, faults=faults)
        befell = f"{len(team.faults)} faults of {team.size} workers, seed {seed}: {', '.join(team.faults)}"
        print(befell)  # noqa: T201
        assert not team.found, "\n".join([befell, *team.found[:10]])
        assert len(team.faults) > faults / 2, befell

    return tell


def test_whatever_befalls_workers_nothing_goes_twice_and_nothing_is_lost(story: Story, own_cluster: Cluster) -> None:
    story(1, 9, cluster=own_cluster)


@pytest.mark.long
@pytest.mark.parametrize("number", range(2, LONG, 3))
def test_on_a_database_that_is_stopped_as_well(story: Story, own_cluster: Cluster, number: int) -> None:
    story(number, cluster=own_cluster)


@pytest.mark.long
@pytest.mark.parametrize("number", [number for number in range(3, LONG) if number % 3 != 2])
def test_killed_stopped_and_cut_off_everything_is_sent_once_or_in_doubt(story: Story, number: int) -> None:
    story(number)
