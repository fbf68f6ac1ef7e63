"""What stands on the screen before a run is sent."""

from __future__ import annotations

import time

from bulksend import campaign
from bulksend.campaign import LookedBack, SendOptions
from bulksend.cli import plan_view, when_view
from bulksend.cli.far_view import far_lines
from bulksend.cli.history_view import held_lines
from bulksend.cli.page import Page
from bulksend.engagespark import Balance, Looked
from bulksend.planning import Plan
from bulksend.runs import Address
from bulksend.sms import dollars
from bulksend.when import Schedule


def show_before(
    plan: Plan,
    address: Address,
    place: str,
    told: Balance | Looked | None,
    schedule: Schedule,
    how: SendOptions,
    page: Page,
    looked: LookedBack,
    *,
    is_new: bool,
) -> None:
    """Show a plan before the question, with what history holds, what is far, the hour, and whether a budget will do."""
    now_s, balance = time.time(), told if isinstance(told, Balance) else None
    findings = campaign.with_hours(plan.findings if is_new else None, plan, how, address, schedule, now_s)
    held = [*far_lines(), *held_lines(looked, how.repeating)]
    when = when_view.plan_rows(schedule, plan.overview, how, now_s)
    plan_view.show_plan(page, plan, how, place, balance, findings, held, when)
    if how.max_cost is not None and plan.overview.price + plan.tally.charged > how.max_cost:
        page.print(
            f"--max-cost {dollars(how.max_cost)} will stop the run before its end: it is estimated at "
            f"{dollars(plan.overview.price + plan.tally.charged)} in all.",
            "bold red",
        )
