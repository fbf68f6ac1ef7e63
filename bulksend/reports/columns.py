"""The columns of what people take away of a run."""

from __future__ import annotations

from collections.abc import Sequence

COLUMNS = (
    "row", "status", "to", "contactId", "messageId", "estimateParts", "estimateMicro", "estimate", "deliveryDeadline",
    "error", "httpStatus", "attempts", "sentAt", "messageSent",
)  # fmt: skip
"""Our own columns of results, in order; the input's follow under their own names."""

ESTIMATE_COLUMNS = (
    "row", "status", "to", "contactId", "encoding", "estimateParts", "estimateMicro", "error", "messageSent",
)  # fmt: skip
"""The columns of what an estimate says of each row."""


def input_columns(names: Sequence[str], ours: Sequence[str]) -> list[str]:
    """The input's own column names, made unique beside ours."""
    taken = set(ours)
    own = []
    for given in names:
        name = given
        while name in taken:
            name = f"input_{name}"
        taken.add(name)
        own.append(name)
    return own
