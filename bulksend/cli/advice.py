"""How the command line words advice: the core names what can be done, and here it gets its flags and commands."""

from __future__ import annotations

from bulksend.errors import Advice, BulksendError, Remark
from bulksend.sending import Stop, StopReason

_WORDS: dict[Advice, str] = {}
"""What to write after the sentence; names in braces are what an error is about."""


def advised(said: BulksendError | Remark) -> str:
    """A sentence with its advice."""
    if isinstance(said, Remark):
        return said.says if said.advice is None else f"{said.says}: {_WORDS[said.advice]}"
    if said.advice is None:
        return str(said)
    return f"{said}: {_WORDS[said.advice].format(**said.about)}"


_STOPS = {
    StopReason.OUT_OF_FUNDS: "{stop.says}: top it up, then run the same command again",
    StopReason.KEY_REFUSED: "{stop.says}: check the API key and --org-id",
    StopReason.NO_ENDPOINT: "{stop.says}: check --base-url",
    StopReason.REDIRECTED: "{stop.says}: check --base-url",
    StopReason.BLOCKED: "{stop.says}: check --base-url, and whether this machine may reach the API",
    StopReason.FOREIGN_KEY: "{stop.says}: plan anew with another --campaign",
    StopReason.BUDGET_FILLED: "the next message would exceed --max-cost: raise it to go on",
    StopReason.TOO_MANY_ERRORS: (
        "{stop.unsent} of {stop.done} rows could not be sent, more than --max-errors {stop.limit}"
    ),
    StopReason.ALL_REJECTED: "{stop.says}; if the rest is to be sent all the same, say --max-errors 100%",
}
"""How the command line says why a run ended early, where it says more than the core."""


def stop_words(stop: Stop) -> str:
    """Why a run ended early, and what to do about it."""
    return _STOPS.get(stop.reason, "{stop.says}").format(stop=stop)
