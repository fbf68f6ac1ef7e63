"""What a sending process notes of its send comes out as it went in, wherever that is read."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bulksend.campaign import PaceFound, Progressed, Started, View
from bulksend.model import Status
from bulksend.sending import Progress, Stop, StopReason, Why

COUNTS = st.integers(0, 10**9)
SECONDS = st.floats(0, 1e9)
PROGRESS = st.builds(
    Progress,
    ends=st.dictionaries(st.sampled_from(Status), COUNTS).map(Counter),
    charged=COUNTS,
    retries=COUNTS,
    latest=st.text(max_size=20),
    parked=COUNTS,
    phones=COUNTS,
    free_at=st.just(math.inf) | SECONDS,
    in_flight=COUNTS,
)
LATER = st.none() | SECONDS
SEEN = st.builds(
    Progressed, PROGRESS, SECONDS, SECONDS, SECONDS,
    left_s=LATER, free_s=LATER, slowed_s=SECONDS, away_s=LATER,
    found=st.none() | st.builds(PaceFound, COUNTS, st.none() | SECONDS, st.none() | st.sampled_from(Why)),
)  # fmt: skip
STOPS = st.none() | st.builds(Stop, st.sampled_from(StopReason), st.text(max_size=20))


@given(st.builds(View, SECONDS, st.builds(Started, COUNTS, st.none() | COUNTS), SEEN, STOPS))
def test_what_is_noted_is_read_as_it_was(view: View) -> None:
    assert View.read(view.words()) == view


def test_what_another_version_noted_is_not_read_as_something_else() -> None:
    for words in ("", "null", "[]", "{}", '{"at_s": 1.0, "began": {"rows": 1, "more": 2}}'):
        assert View.read(words) is None


def test_what_is_still_to_come_comes_nearer() -> None:
    busy = Progress({}, 0, 0, "", 0, 0, math.inf, 0)
    view = View(0.0, Started(9), Progressed(busy, 1.0, 2.0, 2.0, left_s=30.0, free_s=None, slowed_s=2.0, away_s=8.0))
    later = view.aged(3.0).seen
    assert (later.left_s, later.free_s, later.slowed_s, later.away_s) == (27.0, None, 0.0, 5.0)
