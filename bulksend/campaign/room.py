"""Room for as many connections as a run may have at once."""

from __future__ import annotations

import resource

from bulksend.errors import Advice, UsageError
from bulksend.sending import Pace

_OTHER_FILES = 64


def with_room(pace: Pace) -> Pace:
    """Have room for a socket for each request at once; where the number is to be found out, as far as there is room.

    Raises:
        UsageError: the system does not allow so many.
    """
    wanted = pace.widest + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return pace
    if hard != resource.RLIM_INFINITY and hard < wanted:
        if pace.concurrency is None and hard > _OTHER_FILES:
            return with_room(pace.bound(hard - _OTHER_FILES))
        raise UsageError(
            f"{pace.widest} requests at once need {wanted} open files, but the system allows {hard}",
            Advice.LOWER_CONCURRENCY,
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return pace
