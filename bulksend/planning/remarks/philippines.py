"""What Philippine carriers refuse or change, and what the rules for commercial texts there ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bulksend.errors import Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.lint import Lint, Sector
from bulksend.planning.remarks.noted import EXAMPLES, KINDS_MAX, Noted
from bulksend.planning.seen import NOTHING, Seen, TextLook
from bulksend.rules import Rule
from bulksend.sms import carriers
from bulksend.words import many, printable

_CODE = "63"
_SHOWN = 60  # characters


class Philippines:
    """Texts and sender ids that go to the Philippines, or to a contact, who may be there.

    Args:
        lint: what the house says of itself.
        message: the text for all rows, if there is one.
        lines: knows where in the sheet rows stand.
    """

    def __init__(self, lint: Lint, message: str | None, lines: Lines) -> None:
        self._lint = lint
        self._lines = lines
        self._look = TextLook(lint)
        self._of_all = self._look.of_template(message)
        self._flaws: dict[tuple[Seen, str | None], tuple[_Flaw, ...]] = {}
        self._found: dict[_Flaw, Noted] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:
        """See `Topic.add`."""
        senders, size = batch.senders, len(batch.senders)
        is_uniform = not batch.flaws and batch.codes.count(_CODE) == size == senders.count(senders[0])
        there = range(size) if is_uniform else [i for i in range(size) if _may_be_there(batch, i)]
        for seen, rows in self._seen(batch, there, texts):
            if is_uniform or (rows and senders.count(senders[0]) == size):
                self._note(batch.first, rows, seen, senders[0])
                continue
            by_sender: dict[str | None, list[int]] = {}
            for i in rows:
                by_sender.setdefault(senders[i], []).append(i)
            for sender, some in by_sender.items():
                self._note(batch.first, some, seen, sender)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        told: dict[Rule, int] = {}
        for flaw, noted in sorted(self._found.items(), key=lambda item: -item[1].rows):
            told[flaw.rule] = told.get(flaw.rule, 0) + 1
            if told[flaw.rule] <= EXAMPLES:
                yield flaw.remark(noted)

    def _seen(self, batch: PlannedBatch, there: Sequence[int], texts: str) -> Iterator[tuple[Seen, Sequence[int]]]:
        """What is seen in the texts of some rows: it, and those that show it."""
        if self._of_all is None:
            alone = there
        elif batch.singular:
            alone = [i for i in there if i in batch.singular]
            yield self._of_all, [i for i in there if i not in batch.singular]
        else:
            alone = ()
            yield self._of_all, there
        if not self._look.may_matter(texts if alone else ""):
            yield NOTHING, alone
            return
        groups: dict[Seen, list[int]] = {}
        plain = groups.setdefault(NOTHING, [])
        for i in alone:
            text = batch.texts[i]
            rows = groups.setdefault(self._look.of(text), []) if self._look.may_matter(text) else plain
            rows.append(i)
        yield from groups.items()

    def _note(self, first: int, rows: Sequence[int], seen: Seen, sender: str | None) -> None:
        if not rows:
            return
        if (seen, sender) not in self._flaws:
            if len(self._flaws) >= KINDS_MAX:
                self._flaws.clear()
            self._flaws[seen, sender] = tuple(dict.fromkeys(_flaws(seen, sender, self._lint, self._look)))
        for flaw in self._flaws[seen, sender]:
            if flaw in self._found or len(self._found) < KINDS_MAX:
                noted = self._found.setdefault(flaw, Noted(self._lines))
                noted.note_all(first + i for i in rows[:EXAMPLES])
                noted.rows += len(rows) - len(rows[:EXAMPLES])


class _Flaw(NamedTuple):
    """What is to be said of rows.

    Attributes:
        rule: the rule it comes of.
        one: what is said of one row, with its number in front.
        several: the same of more than one.
        advice: what can be done, or why it matters.
        about: what it is about, by name, such as a link's host.
    """

    rule: Rule
    one: str
    several: str
    advice: str
    about: tuple[tuple[str, str], ...] = ()

    def remark(self, noted: Noted) -> Remark:
        """Of these rows."""
        about = noted.about(**dict(self.about))
        if self.rule is Rule.PH_SENDER:
            says = f"{self.one} ({many(noted.rows, 'message')}: {noted})"
            return Remark(says, self.rule, severity=Severity.MONEY, about=about)
        is_asked_for = self.rule in {Rule.PH_OPTOUT, Rule.PH_NAME, Rule.PH_PERMIT}
        severity = Severity.TEXT if is_asked_for else Severity.MONEY
        says = f"{noted.count(self.one, self.several)}: {noted}; {self.advice}"
        return Remark(says, self.rule, severity=severity, about=about)


def _flaws(seen: Seen, sender: str | None, lint: Lint, look: TextLook) -> Iterator[_Flaw]:
    for says in carriers.sender_flaws(sender, lint.senders):
        yield _Flaw(Rule.PH_SENDER, says, says, "", () if sender else (("example", carriers.RANDOM),))
    yield from _of_links(seen, sender, lint)
    wording = seen.wording
    if lint.company and not seen.names_company and not look.is_of_company(sender or ""):
        names = " or ".join(map(repr, lint.company))
        says = f"{names} in neither sender nor text"
        yield _both(Rule.PH_NAME, says, "commercial texts there name who sends them", name=names)
    if wording.promotes and not wording.opts_out:
        word = f"{printable(wording.promotes, _SHOWN)!r}"
        about = f"{word} in the text, and no way to opt out"
        yield _both(Rule.PH_OPTOUT, about, "commercial texts there name one, such as: Reply STOP", word=word)
    if wording.wants_permit and not wording.has_permit:
        word = f"{printable(wording.wants_permit, _SHOWN)!r}"
        about = f"{word} in the text, and no permit"
        yield _both(Rule.PH_PERMIT, about, "promotions there name their DTI or FDA permit, if they need one", word=word)
    word, kind = wording.content
    if word:
        about = f"{word!r} in the text, as those about {kind} have"
        yield _both(Rule.PH_CONTENT, about, "Philippine carriers refuse such texts, or take them for spam")
    if wording.tests:
        yield _Flaw(
            Rule.PH_TEST, "begins with TEST", "begin with TEST", "on one route such texts are silently not sent"
        )


def _of_links(seen: Seen, sender: str | None, lint: Lint) -> Iterator[_Flaw]:
    for link in seen.links:
        host = printable(link.host, _SHOWN)
        if link.is_short:
            about = f"a link through {host}, a public shortener, which a Philippine carrier blocks"
            yield _both(Rule.PH_SHORT, about, "write the link itself", host=host)
        if link.says:
            yield _both(
                Rule.PH_LINK_PLAIN, f"a link to {host} that {link.says}", "filters and people may take it for fraud"
            )
        if lint.link_hosts and not link.is_of(lint.link_hosts):
            about = f"a link to {host}, which is not among the hosts of your links"
            yield _both(Rule.PH_LINK_PLAIN, about, "see whether it is meant")
    if seen.links and carriers.is_no_brand(sender):
        about = "a link, and no brand's name as sender id"
        yield _both(Rule.PH_LINK_SIM, about, "a Philippine carrier drops texts with links that come from a number")
    if seen.links and lint.sector is Sector.BANK:
        about = "a link that can be clicked"
        yield _both(Rule.PH_LINK_BANK, about, "the Philippine central bank has told banks to send none")


def _both(rule: Rule, what: str, advice: str, **about: str) -> _Flaw:
    return _Flaw(rule, f"has {what}", f"have {what}", advice, tuple(about.items()))


def _may_be_there(batch: PlannedBatch, index: int) -> bool:
    """Whether a message goes to the Philippines, or to a contact, who may be there."""
    if index in batch.flaws:
        return False
    return batch.codes[index] == _CODE or isinstance(batch.recipients[index], int)
