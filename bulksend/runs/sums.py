"""What counts and sums of rows come to, which every store has its database make: so any run fits in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bulksend.model import Encoding, PhoneNumber, Status
from bulksend.planning import Findings, Group, Tally
from bulksend.runs.figures import NotSent, Slice, Stretch
from bulksend.runs.states import Decision, State
from bulksend.runs.telling import Charge
from bulksend.sms import phones

_PAUSE_S = 600.0  # nothing happened for so long: what comes then is another stretch
_SLOW = 0.95


def group(start: str, encoding: str, parts: int, rows: int, price: int | None, unpriced: int) -> Group:
    """A group, by the first three digits of its numbers: no dialing code is the beginning of another."""
    code = phones.dialing_code(PhoneNumber(start)) if start else ""
    return Group(code, Encoding(encoding), parts, rows, price or 0, unpriced)


def tally(
    planned: Mapping[Status, int],
    rows: int,
    attempts: int,
    charged: int,
    not_sent: Iterable[tuple[str, str | None, int]],
) -> Tally:
    """The rows by what became of them.

    Args:
        planned: how many the plan has of each status.
        rows: how many have a state.
        attempts: POSTs begun.
        charged: micro-USD, of all.
        not_sent: states other than `State.SENT`, what was decided about the doubt, how many.
    """
    # Grouping sorts: most of many rows are sent, and need not be.
    others = Counter[State]()
    decided = Counter[Decision | None]()
    for state, decision, count in not_sent:
        others[State(state)] += count
        if state == State.UNKNOWN:
            decided[Decision(decision) if decision else None] += count
    statuses = dict.fromkeys(Status, 0) | dict(planned)
    statuses[Status.PENDING] -= rows
    statuses[Status.SENT] += rows - sum(others.values())
    for each, count in others.items():
        if status := each.status:
            statuses[status] += count
    return Tally(
        statuses,
        others[State.IN_FLIGHT],
        attempts,
        charged,
        left=decided[Decision.LEAVE],
        resent=decided[Decision.RESEND],
        left_out=others[State.LEFT_OUT],
        closed=others[State.CLOSED],
        known=others[State.SKIPPED],
        excluded=others[State.EXCLUDED],
        excluded_in_doubt=decided[Decision.EXCLUDED],
    )


def charges(by_start: Iterable[tuple[str, int, int, int, int, int, int]]) -> list[Charge]:
    """What `Run.charges` tells, of the same counts by the first three digits of numbers."""
    found: dict[str, Charge] = {}
    for start, *counts in by_start:
        charge = Charge(phones.dialing_code(PhoneNumber(start)), *counts)
        found[charge.code] = found[charge.code] + charge if charge.code in found else charge
    return sorted(found.values(), key=lambda charge: (-charge.rows, charge.code))


def stretches(minutes: Iterable[tuple[float, float, int]]) -> list[Stretch]:
    """What `Figures.stretches` tells, of minutes in order: when the first attempt began, the last ended, how many."""
    found: list[Stretch] = []
    for since_s, until_s, sent in minutes:
        if found and since_s - found[-1].until_s < _PAUSE_S:
            before = found.pop()
            found.append(Stretch(before.since_s, max(before.until_s, until_s), before.sent + sent))
        else:
            found.append(Stretch(since_s, until_s, sent))
    return found


def slices(width_s: float, counts: Iterable[tuple[int, float | None, int, int]]) -> list[Slice]:
    """What `Figures.slices` tells.

    Args:
        width_s: of each.
        counts: which slice, how long an answer was waited for (None: none came), rows and how many of them were
            accepted; in order.
    """
    waits: dict[int, list[tuple[float, int]]] = defaultdict(list)
    sent: dict[int, int] = defaultdict(int)
    for place, wait, rows, accepted in counts:
        sent[place] += accepted
        if wait is not None:
            waits[place].append((wait, rows))
    return [
        Slice(place * width_s, accepted, _within(waits[place], 0.5), _within(waits[place], _SLOW))
        for place, accepted in sent.items()
    ]


def not_sent(tried: Iterable[NotSent], planned: Findings, limit: int, examples: int) -> list[NotSent]:
    """What `Figures.not_sent` tells.

    Args:
        tried: why rows were tried or left out, and not sent.
        planned: what planning has found, and keeps with the first rows: nothing of it is ever tried.
        limit: so many reasons of each status.
        examples: so many rows of each.
    """
    found: dict[Status, list[NotSent]] = defaultdict(list)
    for each in tried:
        found[each.status].append(each)
    for reason in planned.reasons:
        first = tuple(example.row for example in reason.examples[:examples])
        found[reason.status].append(NotSent(reason.status, reason.says, reason.rows, first))
    return [each for some in found.values() for each in sorted(some, key=_commonest_first)[:limit]]


def _commonest_first(each: NotSent) -> tuple[int, tuple[int, ...]]:
    return -each.rows, each.first


def _within(waits: Sequence[tuple[float, int]], share: float) -> float | None:
    """How long this share of the answers took at most, of waits in order with their numbers; None if there are none."""
    left = share * sum(rows for _, rows in waits)
    for wait, rows in waits:
        left -= rows
        if left <= 0:
            return wait
    return None
