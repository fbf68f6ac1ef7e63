"""What limits a send, seen from the run as it stands: its money, its errors, its repeats."""

from __future__ import annotations

from bulksend.campaign.choices import SendOptions
from bulksend.errors import Advice, UsageError
from bulksend.model import PhoneNumber, Status
from bulksend.planning import Tally
from bulksend.runs import Run
from bulksend.sending import Budget, Errors, Proof, kind_of


def budget_of(run: Run, options: SendOptions) -> Budget | None:
    """What a run may cost, with what it has cost so far and what answers have told of prices.

    Raises:
        UsageError: it cannot be kept, because no price is known.
    """
    if options.max_cost is None:
        return None
    dearest = run.dearest_part()
    if dearest is None:
        raise UsageError("the cost cannot be limited: no rate is known for any message", Advice.SEND_A_FEW_FIRST)
    told: dict[str, int] = {}
    for seen in run.observed_rates():
        kind = kind_of(PhoneNumber(seen.start))
        told[kind] = max(told.get(kind, 0), seen.micro)
    return Budget(
        options.max_cost,
        spent=run.spent(dearest),
        dearest_part=dearest,
        told=told,
        in_doubt=run.messages_in_doubt(),
        kind_of=kind_of,
    )


def errors_of(run: Run, tally: Tally, options: SendOptions) -> Errors | None:
    """The rows of the whole run that could not be sent so far, where they are limited."""
    if options.max_errors is None:
        return None
    statuses, so_far = tally.statuses, set(run.errors())
    for_good = statuses[Status.REJECTED]
    done = statuses[Status.SENT] + for_good + len(so_far)
    return Errors(options.max_errors, done=done, for_good=for_good, so_far=so_far)


def repeats_max(run: Run, tally: Tally, pending: int, options: SendOptions) -> int:
    """How many rows in doubt may be repeated: what a limit leaves of them beside the pending rows.

    None without keys, nor where no proof is held that the server knows them.
    """
    if not Proof(run.turn, keyed=options.dedup).held:
        return 0
    return tally.undecided if options.limit is None else min(tally.undecided, max(0, options.limit - pending))
