"""What goes wrong, and what can be done about it: one tree of exceptions, each with the sentence that people see.

The core says what happened. How it is mended differs from face to face (a flag, a button, an argument), so the core
only names it, as an `Advice`, and each face words it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from bulksend.rules import Rule


class Advice(StrEnum):
    """What can be done about something that is said; the values stand in run files."""

    BEGIN_ANOTHER_RUN = "begin-another-run"
    """Send the input by a run of another name."""
    ACCEPT_DATABASE = "accept-database"
    """See that ``database`` is the right one and whether notes are missing, and say so."""
    ALLOW_NEW_PREFIXES = "allow-new-prefixes"
    """If the number's prefix is newer than the numbering plans here, allow such, or bring these up to date."""
    BEGIN_ANOTHER = "begin-another"
    """Begin another run, ``another``, beside ``run``; or go on with that as it was planned."""
    CHOOSE_COLUMN = "choose-column"
    """Say which of several columns holds the numbers; about ``column``, one of them."""
    CHOOSE_RECIPIENT = "choose-recipient"
    """Say whether the number in ``column`` is the recipient, or the id in ``contact``."""
    CORRECT_CHOICE = "correct-choice"
    """Look at how a value is written by which rows are chosen."""
    CORRECT_LINE = "correct-line"
    """Correct the line, or say what encoding the text has after all."""
    FINISH_FIRST = "finish-first"
    """Send what was never sent of ``run``, and then what is in doubt."""
    GIVE_MESSAGE = "give-message"
    """Fill the row's own message in, or give one for all rows."""
    GIVE_MESSAGE_OR_COLUMN = "give-message-or-column"
    """Give a message for all rows, or say which column holds the rows' own."""
    GIVE_ORGANIZATION = "give-organization"
    """Say which organization's account it is, or try things out in a sandbox."""
    IGNORE_CONTACT = "ignore-contact"
    """Say that no column holds contact ids."""
    KEEP_BY_CONSENT = "keep-by-consent"
    """Send to the rows of ``choice`` alone: COLUMN=VALUE[,VALUE]."""
    LEAVE_OUT_BY_CONSENT = "leave-out-by-consent"
    """Leave the rows of ``choice`` out: COLUMN=VALUE[,VALUE]."""
    KEEP_ONE_PER_NUMBER = "keep-one-per-number"
    """Send one message to each phone, the first."""
    LEAVE_REHEARSAL = "leave-rehearsal"
    """Delete ``run``, which was a rehearsal, or begin the real run, ``another``, beside it."""
    LOWER_CONCURRENCY = "lower-concurrency"
    """Have fewer requests under way at once."""
    MAP_CONTACT = "map-contact"
    """Say that ``column`` holds the ids of the API's contacts."""
    MAP_FIELD = "map-field"
    """Take a field from another column; about ``field``, its name."""
    MAP_OTHER = "map-other"
    """Say that the numbers stand in another column than was guessed."""
    MAP_RECIPIENT = "map-recipient"
    """Rename the column of the recipients, or say which it is."""
    MEND_RESULTS = "mend-results"
    """Have the rows that ``run`` did not send written into a sheet, and send that."""
    READ_AS_PHILIPPINE = "read-as-philippine"
    """Say that numbers without a dialing code are Philippine ones, if so it is meant."""
    REPLACE_TYPOGRAPHIC = "replace-typographic"
    """Have typographic characters replaced by plain ones."""
    RUN_AGAIN = "run-again"
    """Do the same once more."""
    SAY_AS_PLANNED = "say-as-planned"
    """Leave out what is said of a kept plan otherwise than it was planned, wherever it is said."""
    SAY_COUNTRY = "say-country"
    """Write numbers with their dialing codes, or say whose they are."""
    SAY_DELIMITER = "say-delimiter"
    """Name one character as the delimiter."""
    SAY_ENCODING = "say-encoding"
    """Say what encoding the text has, or save it as UTF-8."""
    SEND_A_FEW_FIRST = "send-a-few-first"
    """Send a few messages first, which shows what they cost."""
    SEND_DUPLICATES = "send-duplicates"
    """Send rows all the same that repeat an earlier one."""
    SEND_TO_SANDBOX = "send-to-sandbox"
    """Send to a private sandbox; for a real run, plan anew."""
    SEND_VISIBLE = "send-visible"
    """Leave rows out that the sheet does not show."""
    SETTLE_DUPLICATES = "settle-duplicates"
    """Remove rows that repeat an earlier one, or say whether they are sent."""
    SKIP_DUPLICATES = "skip-duplicates"
    """Leave rows out that repeat an earlier one."""
    SEND_GIVEN_MESSAGE = "send-given-message"
    """Send the message for all rows to those too that have one of their own."""
    SEND_GIVEN_SENDER = "send-given-sender"
    """Use the sender for all rows in those too that have one of their own."""
    USE_CONTACT_ENDPOINT = "use-contact-endpoint"
    """Send to contacts, not to bare numbers."""
    WAIT_FOR_ACCOUNT = "wait-for-account"
    """Wait for the account's other run to end."""


class Question(StrEnum):
    """What only people can answer before anything is sent: a face asks, or has a word by which yes is said before."""

    ANOTHER_RUN = "another run"
    """Is another run begun beside one that has begun otherwise?"""
    SENT_BEFORE = "sent before"
    """Is it sent to all again, though results tell that a run whose file is gone has sent it?"""
    LOST = "lost"
    """Is it sent, though a run of the account was cut off and nobody knows what it sent?"""
    UNSEEN = "unseen"
    """Is it sent again, though it could not be looked up whether it was accepted?"""
    NETWORK = "network"
    """Is a run file used that lies on a network file system?"""
    HOME = "home"
    """Is a run file sent of an account that lives in a database?"""
    FILES = "files"
    """Is a run in a database sent, though this machine's files know of its account what the database does not?"""


class Severity(IntEnum):
    """What is at stake where something may not be as it was meant, worst first; the values stand in run files."""

    PERSON = 1
    """Somebody may get what is not for them, or what they do not want."""
    TEXT = 2
    """Somebody may read what nobody meant."""
    LEFT_OUT = 3
    """Somebody gets nothing."""
    MONEY = 4
    """It costs more than it need, or is paid for and not delivered."""
    STYLE = 5
    """It arrives, and could look better."""
    NOTE = 6
    """Nothing: it is only to be known, such as how the input was understood."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for people, and what can be done about it.

    Attributes:
        says: the sentence; it names no flag, button or function.
        rule: which rule it comes of; None where an earlier version kept it, which had no ids.
        advice: what can be done, or None.
        severity: what is at stake; by it faces order what they show.
        about: what the words of the advice speak of, by name, such as ``column``, and those of faces that have words of
            their own for what is said by this rule; no number and no text of a row.
        quotes: the pieces of the sentence that quote people's cells, each with the brackets or marks around it.
    """

    says: str
    rule: Rule | None
    advice: Advice | None = None
    severity: Severity = Severity.NOTE
    about: Mapping[str, str] = field(default_factory=dict, hash=False)
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """Why something cannot be used, such as a row, and what can be done about it.

    Attributes:
        says: the sentence; it names no flag, button or function.
        advice: what can be done, or None.
    """

    says: str
    advice: Advice | None = None


class BulksendError(Exception):
    """Base of everything bulksend raises on purpose; ``str(error)`` is one clear sentence for people.

    Args:
        says: the sentence; it names no flag, button or function.
        advice: what can be done about it, or None.
        about: what the words of the advice speak of, by name, such as ``run`` for a run's place.
    """

    quotes: tuple[str, ...] = ()
    """The pieces of the sentence that quote people's cells, each with the marks around it."""

    def __init__(self, says: str, advice: Advice | None = None, **about: object) -> None:
        super().__init__(says)
        self.advice = advice
        self.about = about


class UsageError(BulksendError):
    """An option, a setting or the input as a whole cannot be used: nothing was sent."""


class UndecidedError(UsageError):
    """Somebody has to decide something first: nothing was sent.

    Args:
        says: the sentence, which states what makes it a question.
        question: what is to be decided.
        advice: what else can be done, or None.
        about: what the words of the advice speak of.
    """

    def __init__(self, says: str, question: Question, advice: Advice | None = None, **about: object) -> None:
        super().__init__(says, advice, **about)
        self.question = question


class InputError(UsageError):
    """The input cannot be read as a whole: missing, empty, binary, or without the columns it needs."""


class RunFileError(BulksendError):
    """The run file could not be read or written; what was not noted in it was not sent."""


class StoppedError(BulksendError):
    """Somebody elsewhere asked for the end before anything was sent."""


class OwnedError(BulksendError):
    """Another process, or another task of this one, owns the run file."""


class AccountBusyError(OwnedError):
    """Another run of the account is sending: one at a time, so that no phone gets too many."""
