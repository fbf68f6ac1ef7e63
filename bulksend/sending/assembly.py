"""The parts of one send put together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from bulksend.sending.caps import Caps
from bulksend.sending.consequences import Consequences
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.engine import Engine
from bulksend.sending.feed import Past
from bulksend.sending.journal import Journal
from bulksend.sending.keys import Keys
from bulksend.sending.limits import Budget, ErrorLimit, failures_max
from bulksend.sending.pace import Pace, limiter
from bulksend.sending.proof import Proof
from bulksend.sending.stopping import Stopping
from bulksend.sending.verdict import Sender


def assemble(
    journal: Journal,
    sender: Sender,
    stopping: Stopping,
    caps: Caps,
    pace: Pace,
    *,
    keys: Keys | None,
    turn: int = 0,
    past: Past | None = None,
    budget: Budget | None = None,
    error_limit: ErrorLimit | None = None,
    rng: random.Random | None = None,
    mono_s: Callable[[], float] = time.monotonic,
    wall_s: Callable[[], float] = time.time,
) -> Engine:
    """An engine that sends one run.

    Args:
        journal: the run's notes.
        sender: posts one message.
        stopping: who wants the run to end asks it.
        caps: the telcos' caps.
        pace: how fast, and how stubbornly.
        keys: makes the dedup keys; None to send without them.
        turn: how far the turns of `Proof` have come.
        past: what is known of the time before, beside the journal; None if that is nothing.
        budget: what the run may cost, or None.
        error_limit: how many rows may end unsent, or None.
        rng: the retries' jitter.
        mono_s: monotonic seconds.
        wall_s: seconds since 1970.
    """
    dispatcher = Dispatcher(caps)
    consequences = Consequences(
        dispatcher,
        stopping,
        retries=pace.retries,
        failures_max=failures_max(pace.concurrency),
        proof=Proof(turn, keyed=keys is not None),
        is_shared=keys is not None and keys.is_shared,
        budget=budget,
        error_limit=error_limit,
        rng=rng or random.Random(),  # noqa: S311 -- jitter is no secret
    )
    return Engine(
        journal,
        sender,
        dispatcher,
        consequences,
        stopping,
        pace,
        limiter(pace.rate),
        keys,
        past or Past(),
        mono_s=mono_s,
        wall_s=wall_s,
    )
