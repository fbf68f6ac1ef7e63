"""What is said of a campaign against what it was planned with, term by term."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from bulksend.model import Duplicates, Endpoint
from bulksend.runs.facts import TERMS, Facts, Term, Terms

PLANNED = Terms(
    input_digest="d" * 64,
    sender="ACME",
    template="Hi {Name}",
    mapping=(("to", "Mobile"),),
    only=(("City", "Cebu"),),
    skip=(("Unsubscribed", "TRUE"),),
    country="PH",
    new_prefixes=True,
    reading=("cp1252", ";", None),
    header_row=4,
    visible_only=True,
    gsm=True,
    duplicates=Duplicates.SKIP,
    one_per_number=True,
    countries=("PH",),
    exclusion="e" * 64,
    endpoint=Endpoint.PHONENUMBER,
    org_id=7,
    base_url="https://x.test",
    campaign="spring",
)
OTHERWISE = Terms(
    input_digest="f" * 64,
    sender="Shop",
    template="Hello",
    mapping=(("to", "Phone"),),
    only=(("City", "Davao"),),
    skip=(("Unsubscribed", "yes"),),
    country="US",
    new_prefixes=False,
    reading=(None, ";", None),
    header_row=5,
    visible_only=False,
    gsm=False,
    duplicates=Duplicates.FAIL,
    one_per_number=False,
    countries=("PH", "US"),
    exclusion="a" * 64,
    endpoint=Endpoint.CONTACT,
    org_id=8,
    base_url="https://y.test",
    campaign="summer",
)
DEFAULTS = {
    "input_digest": "",
    "sender": None,
    "template": None,
    "mapping": (),
    "only": (),
    "skip": (),
    "country": None,
    "new_prefixes": False,
    "reading": (None, None, None),
    "header_row": None,
    "visible_only": False,
    "gsm": False,
    "duplicates": "send",
    "one_per_number": False,
    "countries": (),
    "exclusion": "",
    "endpoint": "contact",
    "org_id": 0,
    "base_url": "",
}
each_term = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
in_both_modes = pytest.mark.parametrize("unsaid_is_default", [True, False])


def facts(terms: Terms) -> Facts:
    return Facts.new("campaign.csv", ("to", "message"), terms)


def but(terms: Terms, term: Term, value: object) -> Terms:
    return replace(terms, **{term.name: value})  # type: ignore[arg-type]


def said_otherwise(planned: Terms, said: Terms, *, unsaid_is_default: bool) -> list[str]:
    return [term.name for term in facts(planned).differences(said, unsaid_is_default=unsaid_is_default)]


def test_every_term_is_there_once_and_has_words_of_its_own() -> None:
    assert [term.name for term in TERMS] == [field.name for field in fields(Terms)]
    assert len({term.another for term in TERMS}) == len(TERMS)


def test_a_new_plan_takes_what_is_said_and_else_the_defaults() -> None:
    said, unsaid = facts(PLANNED), facts(Terms())
    for term in TERMS:
        assert getattr(said, term.name) == getattr(PLANNED, term.name)
    assert {term.name: getattr(unsaid, term.name) for term in TERMS if term.name != "campaign"} == DEFAULTS
    assert unsaid.campaign
    assert unsaid.campaign != facts(Terms()).campaign


@in_both_modes
def test_what_is_said_as_it_was_planned_is_no_difference(*, unsaid_is_default: bool) -> None:
    assert said_otherwise(PLANNED, PLANNED, unsaid_is_default=unsaid_is_default) == []
    assert said_otherwise(Terms(), Terms(), unsaid_is_default=unsaid_is_default) == []


@in_both_modes
@each_term
def test_what_is_said_otherwise_is_a_difference(term: Term, *, unsaid_is_default: bool) -> None:
    said = but(PLANNED, term, getattr(OTHERWISE, term.name))
    assert said_otherwise(PLANNED, said, unsaid_is_default=unsaid_is_default) == [term.name]


@in_both_modes
@each_term
def test_what_is_said_of_a_plan_with_the_default_is_a_difference(term: Term, *, unsaid_is_default: bool) -> None:
    said = but(Terms(), term, getattr(PLANNED, term.name))
    assert said_otherwise(Terms(), said, unsaid_is_default=unsaid_is_default) == [term.name]


@in_both_modes
@pytest.mark.parametrize("term", [term for term in TERMS if term.default is not None], ids=lambda term: term.name)
def test_a_default_can_be_said(term: Term, *, unsaid_is_default: bool) -> None:
    said = but(PLANNED, term, term.default)
    assert said_otherwise(PLANNED, said, unsaid_is_default=unsaid_is_default) == [term.name]
    if term.name != "campaign":  # of which the default is another one each time
        planned = but(PLANNED, term, None)
        assert said_otherwise(planned, said, unsaid_is_default=unsaid_is_default) == []


@each_term
def test_what_is_not_said_is_the_default_if_the_whole_campaign_is_said(term: Term) -> None:
    expected = [] if term.name == "campaign" else [term.name]
    assert said_otherwise(PLANNED, but(PLANNED, term, None), unsaid_is_default=True) == expected


@each_term
def test_what_is_not_said_is_as_planned_if_a_plan_is_sent(term: Term) -> None:
    assert said_otherwise(PLANNED, but(PLANNED, term, None), unsaid_is_default=False) == []


def test_differences_come_all_and_in_the_order_of_the_terms() -> None:
    every = [term.name for term in TERMS]
    for unsaid_is_default in (True, False):
        assert said_otherwise(PLANNED, OTHERWISE, unsaid_is_default=unsaid_is_default) == every
    assert said_otherwise(PLANNED, Terms(), unsaid_is_default=True) == [name for name in every if name != "campaign"]
    assert said_otherwise(PLANNED, Terms(), unsaid_is_default=False) == []
