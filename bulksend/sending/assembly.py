"""The parts of one send put together."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from bulksend.sending.absence import Absence
from bulksend.sending.budget import Budget
from bulksend.sending.caps import Caps
from bulksend.sending.consequences import Consequences
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.engine import Engine
from bulksend.sending.feed import Past
from bulksend.sending.journal import Journal
from bulksend.sending.keys import Keys
from bulksend.sending.limits import Errors, alike_max
from bulksend.sending.listener import Listener
from bulksend.sending.optouts import Gatekeeper, OptOuts
from bulksend.sending.pace import OwnRate, Pace, Rate, limiter
from bulksend.sending.proof import Proof
from bulksend.sending.purse import Purse
from bulksend.sending.sharing import Shares, Sharing
from bulksend.sending.stopping import Stopping
from bulksend.sending.throttle import Throttle
from bulksend.sending.tries import Tries
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
    errors: Errors | None = None,
    optouts: OptOuts | None = None,
    listener: Listener | None = None,
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
        errors: counts the rows that end unsent, or None if they may.
        optouts: who opted out, or None if nobody can.
        listener: hears of every attempt, or None if nobody wants to.
        rng: the waits' jitter.
        mono_s: monotonic seconds.
        wall_s: seconds since 1970.
    """
    sharing = journal.sharing
    rng = rng or random.Random()  # noqa: S311 -- jitter is no secret
    past = past or Past()
    may_be_rejected = errors or past.has_sent or (sharing and sharing.limits_errors)
    dispatcher = Dispatcher(caps)
    absence, throttle = Absence(pace.patience_s, rng), Throttle.of(pace)
    purse = Purse(budget, dispatcher)
    consequences = Consequences(
        dispatcher,
        stopping,
        absence,
        throttle,
        purse,
        Tries(pace.retries, rng),
        proof=Proof(turn, keyed=keys is not None, behind_s=past.behind_s, seen=past.proof),
        is_shared=keys is not None and keys.is_shared,
        alike_max=math.inf if may_be_rejected else alike_max(pace.usual),
        errors=errors,
        sharing=sharing,
    )
    return Engine(
        journal,
        sender,
        dispatcher,
        consequences,
        absence,
        throttle,
        purse,
        stopping,
        pace.grace_s,
        _rate(sharing, pace.rate),
        keys,
        Gatekeeper(optouts, stopping),
        past,
        Shares(sharing, stopping, throttle, absence),
        listener,
        mono_s=mono_s,
        wall_s=wall_s,
    )


def _rate(sharing: Sharing | None, per_s: float | None) -> Rate | None:
    """The account's rate, shared with whoever sends beside this process."""
    if sharing is not None and per_s is not None:
        return sharing.rate(per_s)
    own = limiter(per_s)
    return None if own is None else OwnRate(own)
