"""The rules on texts, senders and countries: each fires where it should, and not on what only looks like it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulksend.errors import Remark
from bulksend.planning import Lint, PlanOptions, Sector, Source, plan_into
from bulksend.planning.seen import NOTHING, TextLook
from bulksend.rules import Rule
from bulksend.sms import links, wording

ANA, AMERICAN = "639171234567", "12025550123"
TEXTS = (
    Rule.PH_OPTOUT, Rule.PH_NAME, Rule.PH_SHORT, Rule.PH_LINK_SIM, Rule.PH_LINK_BANK, Rule.PH_LINK_PLAIN, Rule.PH_TEST,
    Rule.PH_CONTENT, Rule.PH_PERMIT,
)  # fmt: skip
SAID = Lint(
    company=("ACME Foods",),
    link_hosts=frozenset({"acme.example", "acme.com.ph"}),
    senders=frozenset({"ACME", "ACMEFoods"}),
    sector=Sector.BANK,
)


def remarks(
    folder: Path, rows: Sequence[Sequence[str]], options: PlanOptions, header: Sequence[str] = ("to", "message")
) -> list[Remark]:
    path = folder / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    with closing(Source(str(path), options.reading)) as source:
        return list(plan_into(source, options, None).plan.findings.warnings)


def fired(folder: Path, text: str, *, sender: str | None = "ACME", lint: Lint = Lint(), to: str = ANA) -> set[str]:  # noqa: B008
    """The rules that say something of a text, whether it is the row's own or that of all."""
    found = remarks(folder, [(to, text)], PlanOptions(sender=sender, lint=lint))
    of_all = remarks(folder, [(to,)], PlanOptions(sender=sender, message=text, lint=lint), header=("to",))
    in_value = remarks(folder, [(to, text)], PlanOptions(sender=sender, message="{Text}", lint=lint), ("to", "Text"))
    assert found == of_all == in_value
    return {str(each.rule) for each in found}


OPT = " Reply STOP to opt out."
FIRES = [
    (Rule.PH_OPTOUT, "Big sale today"),
    (Rule.PH_OPTOUT, "Get 50% off now"),
    (Rule.PH_OPTOUT, "Libre ang kape"),
    (Rule.PH_PERMIT, f"Join our raffle{OPT}"),
    (Rule.PH_PERMIT, f"20 % off{OPT}"),
    (Rule.PH_TEST, "TEST message"),
    (Rule.PH_TEST, " Testing, please ignore"),
    (Rule.PH_CONTENT, "Play at our casino"),
    (Rule.PH_CONTENT, "May utang ka ba?"),
    (Rule.PH_CONTENT, "Vote for Ana"),
    (Rule.PH_SHORT, "See bit.ly/3x"),
    (Rule.PH_LINK_PLAIN, "See http://acme.example/x"),
    (Rule.PH_LINK_PLAIN, "See https://10.0.0.1/x"),
    (Rule.PH_LINK_PLAIN, "See 10.0.0.1/x"),
    (Rule.PH_LINK_PLAIN, "See https://acme.example@evil.example/x"),
    (Rule.PH_LINK_PLAIN, "See https://xn--acm-epa.example"),
    (Rule.PH_LINK_PLAIN, "See https://acmé.example"),
]
MISSES = [
    (Rule.PH_OPTOUT, "Your order is ready for pick-up"),
    (Rule.PH_OPTOUT, "Feel free to call us"),
    (Rule.PH_OPTOUT, "Call our toll-free number"),
    (Rule.PH_OPTOUT, f"Big sale today.{OPT}"),
    (Rule.PH_OPTOUT, "Sale! Text ITIGIL to end"),
    (Rule.PH_OPTOUT, "Sale! To unsubscribe text NO"),
    (Rule.PH_OPTOUT, "Sale! Opt-out: 0917"),
    (Rule.PH_OPTOUT, "Your windows are 50% done"),
    (Rule.PH_PERMIT, f"Join our raffle. DTI Permit No. 1{OPT}"),
    (Rule.PH_PERMIT, f"Winter is near{OPT}"),
    (Rule.PH_PERMIT, f"Twenty percent of it{OPT}"),
    (Rule.PH_TEST, "Your test is tomorrow"),
    (Rule.PH_TEST, "Protest"),
    (Rule.PH_CONTENT, "Your Betsy is here"),
    (Rule.PH_CONTENT, "Devoted to you"),
    (Rule.PH_CONTENT, "Middlesex Street"),
    (Rule.PH_SHORT, "bit.ly is a shortener"),
    (Rule.PH_SHORT, "See notbit.ly/x"),
    (Rule.PH_LINK_PLAIN, "See https://acme.example/x"),
    (Rule.PH_LINK_PLAIN, "Version 1.2.3.4 is out"),
    (Rule.PH_LINK_PLAIN, "Mail to ana@acme.example"),
]


@pytest.mark.parametrize(("rule", "text"), FIRES, ids=str)
def test_a_rule_on_texts_fires(rule: Rule, text: str, tmp_path: Path) -> None:
    assert rule in fired(tmp_path, text)


@pytest.mark.parametrize(("rule", "text"), MISSES, ids=str)
def test_it_does_not_fire_on_what_only_looks_like_it(rule: Rule, text: str, tmp_path: Path) -> None:
    assert rule not in fired(tmp_path, text)


@pytest.mark.parametrize(
    ("rule", "text", "sender"),
    [
        (Rule.PH_NAME, "Your order is ready", "Shop"),
        (Rule.PH_NAME, "Your order is ready", None),
        (Rule.PH_NAME, "Your order at saleACME Foodssale is ready", "Shop"),
        (Rule.PH_NAME, "Our Lacme foods", "Shop"),
        (Rule.PH_NAME, "Acme Foodshop", "Shop"),
        (Rule.PH_LINK_BANK, "See https://acme.example/x", "ACME"),
        (Rule.PH_LINK_BANK, "See acme.com.ph", "ACME"),
        (Rule.PH_LINK_PLAIN, "See https://other.example/x", "ACME"),
        (Rule.PH_LINK_PLAIN, "See https://notacme.example/x", "ACME"),
        (Rule.PH_LINK_SIM, "See acme.com.ph", None),
        (Rule.PH_LINK_SIM, "See https://acme.example", "639171234567"),
        (Rule.PH_SENDER, "Hi", "ACNE"),
        (Rule.PH_SENDER, "Hi", None),
        (Rule.PH_SENDER, "Hi", "AB"),
        (Rule.PH_SENDER, "Hi", "2158"),
    ],
)
def test_a_rule_that_knows_the_house_fires(rule: Rule, text: str, sender: str | None, tmp_path: Path) -> None:
    assert rule in fired(tmp_path, text, sender=sender, lint=SAID)


@pytest.mark.parametrize(
    ("rule", "text", "sender"),
    [
        (Rule.PH_NAME, "Your order at ACME Foods is ready", "Shop"),
        (Rule.PH_NAME, "Your order at Acme-Foods is ready", "Shop"),
        (Rule.PH_NAME, "Your order at ACMEFOODS is ready", "Shop"),
        (Rule.PH_NAME, "acme_foods", "Shop"),
        (Rule.PH_NAME, "Your order is ready", "ACMEFoods"),
        (Rule.PH_NAME, "Your order is ready", "ACMEFoodsPH"),
        (Rule.PH_LINK_BANK, "Call acme.example. Thank you", "ACME"),
        (Rule.PH_LINK_PLAIN, "See https://www.acme.example/x", "ACME"),
        (Rule.PH_LINK_PLAIN, "See https://shop.acme.example/x", "ACME"),
        (Rule.PH_LINK_SIM, "See https://acme.example", "ACME"),
        (Rule.PH_LINK_SIM, "No link at all", None),
        (Rule.PH_SENDER, "Hi", "acme"),
    ],
)
def test_it_does_not_fire_where_the_house_is_as_it_says(
    rule: Rule, text: str, sender: str | None, tmp_path: Path
) -> None:
    assert rule not in fired(tmp_path, text, sender=sender, lint=SAID)


def test_of_what_a_house_does_not_say_nothing_is_told(tmp_path: Path) -> None:
    assert fired(tmp_path, "See https://other.example/x", sender="Whoever") == set()


@pytest.mark.parametrize("text", [text for _, text in FIRES])
def test_texts_that_go_elsewhere_are_not_held_against_philippine_rules(text: str, tmp_path: Path) -> None:
    assert not fired(tmp_path, text, to="4915112345678", lint=SAID) & set(TEXTS)


def test_a_sender_of_letters_to_america_is_told_and_a_numeric_one_is_not(tmp_path: Path) -> None:
    assert Rule.US_SENDER in fired(tmp_path, "Hi", to=AMERICAN)
    assert Rule.US_SENDER not in fired(tmp_path, "Hi", to=AMERICAN, sender="12025550100")
    assert Rule.US_SENDER not in fired(tmp_path, "Hi", to=AMERICAN, sender=None)
    assert Rule.US_SENDER not in fired(tmp_path, "Hi")


def test_it_is_told_of_how_many_rows_and_of_the_first_with_their_lines(tmp_path: Path) -> None:
    rows = [(ANA, "Hello"), (), (f"{ANA[:-1]}1", "Sale"), ("no number", "Sale"), (ANA, "a sale")]
    (told,) = [each for each in remarks(tmp_path, rows, PlanOptions(sender="ACME")) if each.rule is Rule.PH_OPTOUT]
    assert told.says == (
        "2 rows have 'sale' in the text, and no way to opt out: row 2 (line 4), row 4 (line 6); commercial texts "
        "there name one, such as: Reply STOP"
    )


def test_of_a_text_for_all_only_the_rows_with_a_value_that_says_something_differ(tmp_path: Path) -> None:
    rows = [(ANA, "Hi"), (f"{ANA[:-1]}1", "Sale"), (f"{ANA[:-1]}4", "see https://x.example/a")]
    options = PlanOptions(sender="ACME", message="{News}{End|}", lint=Lint(link_hosts=frozenset({"acme.example"})))
    header = ("to", "News", "End")
    found = remarks(tmp_path, [(*row, "") for row in rows], options, header)
    assert {each.rule: each.says.partition(";")[0].rpartition(": ")[2] for each in found} == {
        Rule.PH_OPTOUT: "row 2",
        Rule.PH_LINK_PLAIN: "row 3",
    }
    stopped = remarks(tmp_path, [(*row, " Reply STOP") for row in rows], options, header)
    assert {each.rule for each in stopped} == {Rule.PH_LINK_PLAIN}


@pytest.mark.parametrize("message", ["See https://{Host}/x", "See {Host}", "See {Host}.com.ph/x"])
def test_a_link_that_a_merge_field_decides_is_looked_at_row_by_row(message: str, tmp_path: Path) -> None:
    lint = Lint(link_hosts=frozenset({"acme.com.ph", "acme.com", "acme"}))
    good, bad = ("acme", "evil") if "com.ph" in message else ("acme.com", "evil.com")
    rows = [(ANA, good), (f"{ANA[:-1]}1", bad), (f"{ANA[:-1]}4", good)]
    found = remarks(tmp_path, rows, PlanOptions(sender="ACME", message=message, lint=lint), ("to", "Host"))
    assert [(each.rule, "row 2" in each.says, "1 row has" in each.says) for each in found] == [
        (Rule.PH_LINK_PLAIN, True, True)
    ]


def test_many_different_hosts_are_told_of_in_few_sentences(tmp_path: Path) -> None:
    rows = [(f"63917{row:07}", f"https://h{row}.example/x") for row in range(3_000)]
    lint = Lint(link_hosts=frozenset({"acme.example"}))
    assert [each.rule for each in remarks(tmp_path, rows, PlanOptions(sender="ACME", lint=lint))].count(
        Rule.PH_LINK_PLAIN
    ) == 3


# ---- countries ----


def countries(folder: Path, **rows: int) -> list[str]:
    starts = {"ph": "63917", "us": "1202555", "sg": "658123", "de": "4915112"}
    digits = {"ph": 7, "us": 4, "sg": 4, "de": 6}
    sheet = [
        (f"{starts[name]}{number:0{digits[name]}}", "Hi")
        for name, count in rows.items()
        for number in range(1_000, 1_000 + count)
    ]
    found = remarks(folder, sheet, PlanOptions(sender="639171234567"))
    return [each.says.partition(":")[0] for each in found if each.rule is Rule.COUNTRY]


def test_a_country_of_few_numbers_in_a_uniform_list_is_told(tmp_path: Path) -> None:
    assert countries(tmp_path, ph=97, sg=3) == ["3 rows go to +65 (SG), and nearly all others to +63 (PH)"]
    assert countries(tmp_path, ph=93, sg=4, de=3) == [
        "4 rows go to +65 (SG), and nearly all others to +63 (PH)",
        "3 rows go to +49 (DE), and nearly all others to +63 (PH)",
    ]


def test_a_country_of_more_or_a_list_that_is_mixed_is_not(tmp_path: Path) -> None:
    assert countries(tmp_path, ph=95, sg=5) == []
    assert countries(tmp_path, ph=19, sg=1) == []
    assert countries(tmp_path, ph=50, sg=46, de=4) == []
    assert countries(tmp_path, ph=100) == []


# ---- how texts are looked at ----

PIECES = st.lists(
    st.sampled_from([
        "sale", "Hello", " ", ". ", "win", "STOP", "50% off", "bit.ly/x", "https://", "acme.com", "TEST", "casino",
        "ph", ".", "/", "@", "10.0.0.1/", "www.", "ñ", "\ue000", "ACME Foods", "acme", "_", "7", "Eleven", "-",
        "permit",
    ]),
    max_size=6,
).map("".join)  # fmt: skip


@given(PIECES, st.sampled_from(["ACME Foods", "Acme-Foods", "7-Eleven", "7Eleven", "A.C.M.E."]))
@example("saleACME Foodssale", "ACME Foods")
@example("7-Eleven", "7Eleven")
@example("acme_foods", "ACME Foods")
def test_what_surely_does_not_matter_shows_nothing(text: str, company: str) -> None:
    look = TextLook(replace(SAID, company=(company,)))
    if not look.may_matter(text):
        assert look.of(text) == NOTHING


@pytest.mark.parametrize("value", ["ACME", "foods", "Acme Foods"])
def test_a_value_that_may_make_a_name_whole_is_looked_at_in_its_text(value: str) -> None:
    assert TextLook(SAID).may_matter(value)


@given(PIECES)
def test_where_there_may_be_a_link_there_is_one(text: str) -> None:
    assert links.may_link(text) is bool(links.links_in(text))


@given(PIECES, PIECES)
def test_what_matters_in_a_text_matters_in_many_that_are_joined(text: str, other: str) -> None:
    look = TextLook(SAID)
    assert not look.may_matter(text) or look.may_matter(f"{other}\n{text}") or look.may_matter(f"{text}\n{other}")


@given(st.text(max_size=60))
def test_any_text_can_be_looked_at(text: str) -> None:
    wording.wording_of(text)
    assert len(links.links_in(text)) <= text.count(".") + text.count("//")


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("see acme.com now", ["acme.com"]),
        ("see ACME.COM.PH.", ["acme.com.ph"]),
        ("see www.acme.example/x?y=1", ["acme.example"]),
        ("https://a.example/x, http://b.example", ["a.example", "b.example"]),
        ("(acme.ph)", ["acme.ph"]),
        ("acme.shop", ["acme.shop"]),
        ("We have a sale.Shop now", []),
        ("Thanks.Me too", []),
        ("t.me/acme", ["t.me"]),
        ("P1.50 or 3.5k", []),
        ("ana@acme.com", []),
        ("etc. and so on...", []),
        ("a.b", []),
        ("No. 12.com", ["12.com"]),
    ],
)
def test_links_are_found_and_sentences_are_none(text: str, hosts: list[str]) -> None:
    assert [link.host for link in links.links_in(text)] == hosts
