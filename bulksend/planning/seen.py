"""What is seen in a text: links, and what its words are about; once for all texts of a template, where that does."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.errors import UsageError
from bulksend.planning.lint import Lint
from bulksend.sms import Names, Template, links, wording, words_of


class Seen(NamedTuple):
    """What is seen in a text.

    Attributes:
        wording: what its words are about.
        links: its links.
        names_company: whether one of the company's names stands in it.
    """

    wording: wording.Wording
    links: tuple[links.Link, ...]
    names_company: bool


NOTHING = Seen(wording.PLAIN, (), names_company=False)


class TextLook:
    """Looks at texts.

    Args:
        lint: what the house says of itself.
    """

    def __init__(self, lint: Lint) -> None:
        self._company = Names(lint.company)
        # A name's first word may be filled in, and its second one stand behind it.
        self._company_or_word = Names({*lint.company, *(word for name in lint.company for word in words_of(name))})

    def of(self, text: str) -> Seen:
        """What is seen in a text."""
        return Seen(wording.wording_of(text), links.links_in(text), names_company=self._company.stand_in(text))

    def may_matter(self, text: str) -> bool:
        """Whether anything may be seen in a text, or in one of many that are joined: False if surely nothing."""
        return wording.may_matter(text) or links.may_link(text) or self._company_or_word.stand_in(text)

    def is_of_company(self, sender: str) -> bool:
        """Whether one of the company's names is in a sender id; False if it has none."""
        return self._company.are_in(sender)

    def of_template(self, text: str | None) -> Seen | None:
        """What is seen in each text that is made of a template, whatever is filled in; None where that decides.

        What is filled in and says something by itself makes its text one to be looked at by itself.
        """
        try:
            seen = self.of(links.FILLER.join(Template.parse(text or "").literals))
        except UsageError:  # planning tells of that
            return None
        return None if any(links.FILLER in link.host for link in seen.links) else seen
