"""Who is not to get a run any more, as people see it before it goes on."""

from __future__ import annotations

from rich.console import Console

from bulksend.campaign import CampaignEvent, Excluded, Tell
from bulksend.planning import unchecked
from bulksend.words import many


def excluded_teller(out: Console, *, is_list_said: bool, tells_doubts: bool = True) -> Tell:
    """Tells which rows of a run are left out that its plan did not leave out.

    Args:
        out: where to.
        is_list_said: whether lists were given with this command, or should have been for it to be as before.
        tells_doubts: whether rows in doubt are told of, too.
    """

    def tell(event: CampaignEvent) -> None:
        if isinstance(event, Excluded):
            told = event if tells_doubts else event._replace(not_again=0)
            for line in excluded_lines(told, is_list_said=is_list_said):
                out.print(line, soft_wrap=True)

    return tell


def excluded_lines(excluded: Excluded, *, is_list_said: bool) -> list[str]:
    """The same, as lines."""
    lines = []
    if excluded.listed:
        lines.append(f"{_left_out(excluded.listed)}: on the lists of those to leave out that are given now.")
    if excluded.opted_out:
        lines.append(f"{_left_out(excluded.opted_out)}: they go to who opted out since this was planned.")
    if excluded.not_again:
        lines.append(not_again_words(excluded.not_again))
    if excluded.unchecked:
        lines.append(f"{unchecked(excluded.unchecked).says}.")
    if excluded.keeps_earlier and is_list_said:
        lines.append("Whom an earlier --exclude left out of this run stays left out.")
    return lines


def not_again_words(rows: int) -> str:
    """That rows in doubt are not sent once more."""
    doubts = f"{many(rows, 'row')} in doubt {_is(rows)} not repeated"
    return f"{doubts}: who opted out, or is on a list of those to leave out, gets nothing more."


def _left_out(rows: int) -> str:
    return f"{many(rows, 'more row')} {_is(rows)} left out"


def _is(rows: int) -> str:
    return "is" if rows == 1 else "are"
