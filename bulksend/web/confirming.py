"""What somebody has to write before much money is spent."""

from __future__ import annotations

from bulksend.planning import Overview
from bulksend.sms import dollars
from bulksend.web.drafts import Draft


def to_write(draft: Draft, overview: Overview, above: int) -> str:
    """What is to be written: the amount, or how many messages where nobody knows it; empty for nothing.

    Args:
        draft: what is sent; a rehearsal costs nothing.
        overview: what it comes to.
        above: micro-USD up to which nothing need be written.
    """
    if draft.rehearses or not overview.rows:
        return ""
    if overview.unpriced:
        return f"{overview.rows:,}"
    return dollars(overview.price) if overview.price > above else ""


def is_written(wanted: str, written: str) -> bool:
    """Whether that is what somebody wrote; dollar signs, commas and spaces do not matter."""
    return _plain(wanted) == _plain(written)


def _plain(text: str) -> str:
    plain = text.translate(str.maketrans("", "", "$, \u00a0"))
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
