"""What history holds of a campaign, as people see it before it is sent; and what nobody knows."""

from __future__ import annotations

import time

from bulksend.campaign import OFTEN, Held, Holds, LookedBack, Repeating
from bulksend.rules import Rule
from bulksend.runs import name_of, place_of
from bulksend.words import many, printable

_LINES = 8  # the commonest
_UNITS = ((60.0, "second"), (3_600.0, "minute"), (2 * 86_400.0, "hour"))  # up to when, in what
_LENGTHS = {"second": 1.0, "minute": 60.0, "hour": 3_600.0}


def held_lines(looked: LookedBack, how: Repeating) -> list[str]:
    """Who got what is about to be sent, or something else lately, and what becomes of these rows."""
    told = [held for held in looked.held if held.what is not Holds.ANOTHER]
    lines = [_line(held, how) for held in told[:_LINES]]
    if rest := sum(held.rows for held in told[_LINES:]):
        lines.append(f"{rest:,} more of these got the same from other runs.")
    if another := sum(held.rows for held in looked.held if held.what is Holds.ANOTHER):
        advice = " (--not-within 7d leaves them out)" if how.not_within_s is None else ""
        lines.append(f"{another:,} of these got another text within 7 days{advice}")
    if looked.often:
        got = f"got {OFTEN} texts or more within 7 days, and {'gets' if looked.often == 1 else 'get'} another one"
        lines.append(f"{looked.often:,} of these {got} [{Rule.FREQ}]")
    if looked.dead:
        were = "was not reached" if looked.dead == 1 else "were not reached"
        lines.append(f"{looked.dead:,} of these {were} by the last two runs, as receipts tell: left out")
    if looked.by_id:
        rows = many(looked.by_id, "row goes to a contact", "rows go to contacts")
        lines.append(f"{rows} whose number is not known here: of these it is seen only what the contact itself got")
    return lines


def _line(held: Held, how: Repeating) -> str:
    ago = _ago(how.began_at, held.began_at)
    got = f"this very text from {printable(name_of(place_of(held.run)))} {ago}"
    match held.what:
        case Holds.EQUAL:
            return f"{held.rows:,} of these got {got}: left out (--repeat sends them again)"
        case Holds.DOUBTED:
            settle = f"bulksend resolve {printable(held.run)} settles that"
            return f"{held.rows:,} of these may have got {got}: left out ({settle}; --repeat sends them again)"
        case Holds.OWN:
            return f"{many(held.rows, 'row')} this very run has sent {ago}, as {printable(held.run)} knows: left out"
        case Holds.LATELY:
            return f"{held.rows:,} of these got something from {printable(name_of(place_of(held.run)))} {ago}: left out"
        case _:
            return f"{held.rows:,} of these got {got}: sent again"


def _ago(now: float, then: float) -> str:
    for until, unit in _UNITS:
        if now - then < until:
            return f"{many(max(1, int((now - then) // _LENGTHS[unit])), unit)} ago"
    day = time.localtime(then)
    return f"on {day.tm_mday} {time.strftime('%B %Y', day)}"
