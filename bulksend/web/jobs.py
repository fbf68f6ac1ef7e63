"""What the page has done in a process of its own: a line of JSON each."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

from bulksend.web.drafts import Draft


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose account it is.

    Attributes:
        org_id: the organization; None if that is not known, or for a private sandbox.
        key_file: holds the API's key, if that is known.
        base_url: the API's address.
        database: the database that it lives in, where its runs are left to workers; empty for this machine's files.
    """

    org_id: int | None
    key_file: str
    base_url: str
    database: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """Look at a draft's sheet."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Price:
    """Plan and price a draft, and keep nothing of it."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Make:
    """Plan a draft into a run, which is sent later."""

    draft: Draft
    whose: Whose


@dataclass(frozen=True, slots=True)
class Send:
    """Send a draft's run.

    Attributes:
        draft: it.
        whose: whose account it goes to.
        plan_id: the plan that was agreed to, for another may take its place.
        answers: what is said yes to beforehand, as `bulksend.errors.Question` has it.
    """

    draft: Draft
    whose: Whose
    plan_id: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Try:
    """Send the text of one row of a draft's run to one's own phone.

    Attributes:
        draft: it.
        whose: whose account it goes to.
        row: the row's number.
        phone: as it is written.
    """

    draft: Draft
    whose: Whose
    row: int
    phone: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for the receipts of a draft's run."""

    draft: Draft
    whose: Whose


@dataclass(frozen=True, slots=True)
class Settle:
    """Look up the rows in doubt of a draft's run.

    Attributes:
        draft: it.
        whose: whose account it was sent from.
        decision: what becomes of those that are not found: "resend" or "leave"; empty for nothing.
        is_unseen: whether they may be sent again although they could not be looked up.
    """

    draft: Draft
    whose: Whose
    decision: str = ""
    is_unseen: bool = False


Paid = Make | Send | Try | Fetch | Settle
"""What is done for an account."""
Job = Look | Price | Paid
_JOBS: dict[str, type[Job]] = {kind.__name__: kind for kind in (Look, Price, Make, Send, Try, Fetch, Settle)}


def written(job: Job) -> bytes:
    """The line of it."""
    return orjson.dumps({"kind": type(job).__name__, "what": asdict(job)}) + b"\n"


def job_in(line: bytes) -> Job:
    """The job that a line holds."""
    found = orjson.loads(line)
    what = found["what"]
    what["draft"] = Draft.read(what["draft"])
    if "whose" in what:
        what["whose"] = Whose(**what["whose"])
    return _JOBS[found["kind"]](**what)
