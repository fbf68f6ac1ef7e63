"""What became of an input's messages between two plans of it."""

from __future__ import annotations

from typing import NamedTuple


class Edits(NamedTuple):
    """How the messages of a plan differ from those of an earlier one.

    Attributes:
        corrected: messages whose recipient gets another text or sender, or whose row now has another recipient.
        new: messages that the earlier plan did not have.
        gone: messages that only the earlier plan had.
        moved: messages that are the same and stand in another row.
    """

    corrected: int = 0
    new: int = 0
    gone: int = 0
    moved: int = 0

    @property
    def is_none(self) -> bool:
        """Whether both plans send the same, be it in another order."""
        return not (self.corrected or self.new or self.gone)
