"""Hours in which people are not to be texted, where messages go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bulksend.campaign.choices import SendOptions
from bulksend.campaign.spans import span_of
from bulksend.errors import Remark, Severity
from bulksend.planning import Findings, Overview, Plan
from bulksend.rules import Rule
from bulksend.runs import Address
from bulksend.sms import phones
from bulksend.when import Schedule
from bulksend.words import many


class _Quiet(NamedTuple):
    """When it is quiet somewhere.

    Attributes:
        rule: the rule that says so.
        code: the dialing code of those who are there.
        zones: their times: a zone's name, and the hours from UTC where no zones are known here.
        day: from when to when they may be texted.
        says: whose times these are, and what is asked for.
    """

    rule: Rule
    code: str
    zones: tuple[tuple[str, int], ...]
    day: tuple[time, time]
    says: str


_QUIET = (
    _Quiet(
        Rule.PH_HOURS,
        "63",
        (("Asia/Manila", 8),),
        (time(7), time(21)),
        "commercial texts are not to be sent there from 21:00 to 07:00 (NTC MC 03-03-2005)",
    ),
    _Quiet(
        Rule.US_HOURS,
        "1",
        (("America/New_York", -5), ("America/Los_Angeles", -8)),
        (time(8), time(21)),
        "marketing texts go to people in the US from 8:00 to 21:00 of their own time",
    ),
)


def with_hours(
    findings: Findings | None, plan: Plan, options: SendOptions, address: Address, schedule: Schedule, now_s: float
) -> Findings | None:  # fmt: skip
    """What planning found, if that is told, and what is to be said of the hour; a rehearsal reaches nobody."""
    if address.is_rehearsal:
        return findings
    begins_s, ends_s = span_of(plan.overview, options, schedule, now_s)
    found = tuple(hour_remarks(plan.overview, begins_s, min(ends_s, schedule.closes_at(begins_s))))
    if not found:
        return findings
    return replace(findings or Findings(), warnings=(*found, *(findings.warnings if findings else ())))


def hour_remarks(overview: Overview, begins_s: float, ends_s: float) -> Iterator[Remark]:
    """What to say of messages that would go out while it is quiet where they go.

    Args:
        overview: what is still to be sent; contacts are nowhere, as far as is known.
        begins_s: when that begins, in seconds since 1970.
        ends_s: when it may be over.
    """
    for quiet in _QUIET:
        rows = sum(group.rows for group in overview.groups if group.code == quiet.code)
        for zone in quiet.zones if rows else ():
            begins, ends = (datetime.fromtimestamp(at_s, _zone(zone)) for at_s in (begins_s, ends_s))
            if _touches_night(begins, ends, *quiet.day):
                until = f" to {ends:%H:%M}" if ends - begins >= timedelta(minutes=1) else ""
                place = zone[0].rpartition("/")[2].replace("_", " ")
                messages = f"{many(rows, 'message')} to {phones.country_name(quiet.code)}"
                says = f"{messages} would go out from {begins:%H:%M}{until}, {place} time: {quiet.says}"
                about = {"count": f"{rows:,}", "begins": f"{begins:%H:%M}", "place": place}
                about |= {"ends": f"{ends:%H:%M}"} if until else {}
                yield Remark(says, quiet.rule, severity=Severity.PERSON, about=about)
                break


def _touches_night(begins: datetime, ends: datetime, morning: time, evening: time) -> bool:
    if not morning <= begins.time() < evening:
        return True
    return ends > datetime.combine(begins.date(), evening, begins.tzinfo)


def _zone(zone: tuple[str, int]) -> tzinfo:
    name, hours = zone
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:  # this machine has no list of them: an hour more or less in summer
        return timezone(timedelta(hours=hours))
