"""How the command line words advice: the core names what can be done, and here it gets its flags and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulksend.errors import Advice, BulksendError, Remark, Why
from bulksend.sending import Stop, StopReason
from bulksend.sms import dollars

if TYPE_CHECKING:
    from bulksend.campaign import Ending

_WORDS: dict[Advice, str] = {
    Advice.ACCEPT_DATABASE: (
        "see that it is the right one and whether any are, then say bulksend database accept {database}"
    ),
    Advice.ALLOW_NEW_PREFIXES: (
        "if its prefix is newer than that, --allow-new-prefixes sends to it (or pip install -U phonenumbers)"
    ),
    Advice.BEGIN_ANOTHER: (
        "--new begins another run beside it, {another}; to go on with it as it was planned: bulksend send {run}"
    ),
    Advice.BEGIN_ANOTHER_RUN: "to send its input once more, send that with --new",
    Advice.CHOOSE_COLUMN: "say which with --map to={column!r}",
    Advice.CHOOSE_RECIPIENT: "say which with --map to={column!r} or --map contactId={contact!r}",
    Advice.CORRECT_CHOICE: "see how it is written in --only or --skip",
    Advice.CORRECT_LINE: "correct that line, or say what the text is with --encoding, such as --encoding cp1252",
    Advice.FINISH_FIRST: "finish it first: bulksend send {run}",
    Advice.GIVE_MESSAGE: "fill it in, or give one with --message",
    Advice.GIVE_MESSAGE_OR_COLUMN: "give one with --message, or name another column with --map message=COLUMN",
    Advice.GIVE_ORGANIZATION: "give it with --org-id; to try things out, use --sandbox",
    Advice.IGNORE_CONTACT: "--map contactId= leaves that column out",
    Advice.KEEP_BY_CONSENT: "--only {choice!r} sends to the others alone",
    Advice.LEAVE_OUT_BY_CONSENT: "--skip {choice!r} leaves them out",
    Advice.KEEP_ONE_PER_NUMBER: "--one-per-number keeps the first to each phone",
    Advice.LEAVE_REHEARSAL: (
        "if it was a rehearsal, delete it, or give the real run a file of its own: --new begins it beside, {another}"
    ),
    Advice.LOWER_CONCURRENCY: "say so with a lower --concurrency",
    Advice.MAP_CONTACT: "--map contactId={column!r} takes it",
    Advice.MAP_FIELD: "name one of these with --map {field}=COLUMN",
    Advice.MAP_OTHER: "--map to=COLUMN says otherwise",
    Advice.MAP_RECIPIENT: "name the right one 'to' (or 'contactId'), or say which it is with --map to=COLUMN",
    Advice.MEND_RESULTS: "bulksend retry {run} -o FILE writes those that were not, ready to be mended and sent",
    Advice.READ_AS_PHILIPPINE: "if that is meant, say --country PH",
    Advice.REPLACE_TYPOGRAPHIC: "--gsm replaces them",
    Advice.RUN_AGAIN: "run the same command again",
    Advice.SAY_AS_PLANNED: "leave it out; bulksend config show tells whether the environment or bulksend.toml says it",
    Advice.SAY_COUNTRY: "write 63917… instead of 0917…, or give --country PH",
    Advice.SAY_DELIMITER: "write one character such as ';', or the word tab",
    Advice.SAY_ENCODING: "say what the text is with --encoding, or save it as CSV UTF-8",
    Advice.SEND_A_FEW_FIRST: "--max-cost needs one; send a few with --limit first",
    Advice.SEND_DUPLICATES: "--duplicates send sends them all the same",
    Advice.SEND_TO_SANDBOX: "add --sandbox; for a real run, plan anew",
    Advice.SEND_VISIBLE: "--visible-only leaves them out",
    Advice.SETTLE_DUPLICATES: "remove them, or say --duplicates skip or send",
    Advice.SKIP_DUPLICATES: "--duplicates skip leaves them out",
    Advice.SEND_GIVEN_MESSAGE: "--map message= sends the given one to all",
    Advice.SEND_GIVEN_SENDER: "--map from= uses the given one for all",
    Advice.USE_CONTACT_ENDPOINT: "use --endpoint contact",
    Advice.WAIT_FOR_ACCOUNT: "--wait waits for it",
}
"""What to write after the sentence; names in braces are what an error is about."""


def advised(said: BulksendError | Remark | Why) -> str:
    """A sentence with its advice."""
    says = str(said) if isinstance(said, BulksendError) else said.says
    about = {} if isinstance(said, Why) else said.about
    return says if said.advice is None else f"{says}: {_WORDS[said.advice].format(**about)}"


_STOPS = {
    StopReason.OUT_OF_FUNDS: "{stop.says}: top it up, then run the same command again",
    StopReason.KEY_REFUSED: "{stop.says}: check the API key and --org-id",
    StopReason.NO_ENDPOINT: "{stop.says}: check --base-url",
    StopReason.REDIRECTED: "{stop.says}: check --base-url",
    StopReason.BLOCKED: "{stop.says}: check --base-url, and whether this machine may reach the API",
    StopReason.ACCOUNT_BUSY: "{stop.says}: the same command goes on when they are done",
    StopReason.WINDOW_CLOSED: "{stop.says}: the same command goes on then",
    StopReason.BUDGET_FILLED: "the next message would exceed --max-cost: raise it to go on",
    StopReason.TOO_MANY_ERRORS: (
        "{stop.unsent} of {stop.done} rows could not be sent, more than --max-errors {stop.limit}: it goes on only "
        "with a higher one"
    ),
    StopReason.ALL_REJECTED: "{stop.says}; if the rest is to be sent all the same, say --max-errors 100%",
}
"""How the command line says why a run ended early, where it says more than the core."""


_SHORT = {
    StopReason.HUNG_UP: "its terminal was closed",
    StopReason.ASKED: "asked to, from elsewhere",
    StopReason.NO_ENDPOINT: "no such endpoint",
    StopReason.UNTRUSTED: "the server's certificate is not trusted",
    StopReason.BUDGET_FILLED: "the budget is filled",
    StopReason.TAKEN_OVER: "another process has the run",
    StopReason.ACCOUNT_BUSY: "others send another run of the account",
    StopReason.STORE_FAILED: "the run cannot be written",
}
"""Why a run ended early, in a few words, where its name does not serve."""

_TO_DO = {
    StopReason.KEY_REFUSED: "check the API key and --org-id",
    StopReason.NO_ENDPOINT: "check --base-url",
    StopReason.REDIRECTED: "check --base-url",
    StopReason.BLOCKED: "check --base-url, and whether this machine may reach the API",
    StopReason.SERVER_AWAY: "wait until the server is back",
    StopReason.STORE_FAILED: "see that the run file can be written, and that there is room for it",
    StopReason.TOO_MANY_ERRORS: "look at what was refused; a higher --max-errors sends more all the same",
    StopReason.ALL_REJECTED: "look at what was refused; --max-errors 100% sends the rest all the same",
}
"""What is to be done before a run goes on that ended early, money aside."""


def short_words(reason: StopReason) -> str:
    """Why a run ended early, in a few words."""
    return _SHORT.get(reason, reason.value)


def to_do_words(ending: Ending) -> str:
    """What is to be done before a run goes on that ended early; empty for nothing."""
    stop, balance = ending.ended.stop, ending.ended.balance
    if stop is None:
        return ""
    if ending.budget is not None:
        return f"raise --max-cost: {dollars(ending.budget)} is enough for all of it"
    if stop.reason is not StopReason.OUT_OF_FUNDS:
        return _TO_DO.get(stop.reason, "")
    if balance is None:
        return "top up the account; its balance is not known"
    if ending.top_up is None:
        return f"top up the account, though its balance of {dollars(balance.micro)} should do"
    return f"top up {dollars(ending.top_up)}: the balance is {dollars(balance.micro)}"


def stop_words(stop: Stop) -> str:
    """Why a run ended early, and what to do about it."""
    return _STOPS.get(stop.reason, "{stop.says}").format(stop=stop)
