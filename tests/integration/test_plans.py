"""A plan that is only counted and one that is kept: from the same files, with the same words."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulksend import campaign
from bulksend.campaign import PlanRequest
from bulksend.cli.advice import advised
from bulksend.errors import Advice, InputError, Remark, UsageError
from bulksend.model import Duplicates, PhoneNumber, Status
from bulksend.planning.exclusions import Exclusions, read_exclusions
from bulksend.planning.overview import Crowd, Plan
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import plan_into
from bulksend.planning.reading import ReadOptions, Source
from bulksend.runs import Address, Facts, Terms, open_run

HERE = Address(1, "https://x.test")
ANA, BEN = "639171234567", "639181234567"
CELLS = st.tuples(
    st.sampled_from([ANA, BEN, "+63 917 123 4567", "12025550167", "63281234567", "9611234567", "", "x", "#N/A"]),
    st.sampled_from(["", "", "", "7", "8", "0"]),
    st.sampled_from(["a", "b", "it\u2019s", "x" * 161, "y" * 2_000, "", "Hi {{contact.name}}", "see bit.ly/x", "😀"]),
    st.sampled_from(["", "ACME", "TESTER"]),
)
OPTIONS = st.builds(
    PlanOptions,
    sender=st.sampled_from([None, "engageSPARK"]),
    message=st.sampled_from([None, "Hello", "To {to}"]),
    country=st.sampled_from([None, "PH"]),
    gsm=st.booleans(),
    exclusions=st.sampled_from([Exclusions(), Exclusions(frozenset({PhoneNumber(BEN)}), "d")]),
)


def sheet(path: Path, rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ("to", "message")) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def counted(name: str, options: PlanOptions) -> Plan:
    return campaign.survey(PlanRequest(name, options, HERE))


def kept(name: str, path: Path, options: PlanOptions) -> Plan:
    campaign.plan(PlanRequest(name, options, HERE), path).close()
    with open_run(path) as run:
        return run.plan()


def said(options: PlanOptions, *, org_id: int | None = None, base_url: str | None = None) -> Terms:
    return Terms.of(options, org_id=org_id, base_url=base_url, campaign=None)


def facts_of(path: Path) -> Facts:
    with open_run(path) as run:
        return run.facts


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CELLS.filter(any), min_size=1, max_size=12), options=OPTIONS)
def test_counting_and_keeping_a_plan_say_the_same(
    tmp_path: Path, rows: list[tuple[str, ...]], options: PlanOptions
) -> None:
    name = sheet(tmp_path / "campaign.csv", rows, ("to", "contactId", "message", "from"))
    only_counted, saved = counted(name, options), kept(name, tmp_path / "campaign.run", options)
    assert set(only_counted.overview.crowds) == set(saved.overview.crowds)
    same_crowds = only_counted.overview._replace(crowds=saved.overview.crowds)
    assert replace(only_counted, overview=same_crowds) == saved


def test_findings_from_before_advice_was_kept_apart_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.run"
    plan = kept(sheet(tmp_path / "c.csv", [("0917", "a"), (ANA, "b")]), path, PlanOptions())
    reason = replace(plan.findings.reasons[0], advice=None)
    kept_reason = {name: value for name, value in asdict(reason).items() if name != "advice"}
    old = {"reasons": [kept_reason], "notes": ["a note"], "warnings": ["a warning"], "rates": plan.findings.rates}
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE facts SET value = ? WHERE name = 'findings'", [orjson.dumps(old)])
    with open_run(path) as run:
        assert run.plan().findings == replace(
            plan.findings,
            longest=0,
            dearest=0,
            reasons=(reason,),
            notes=(Remark("a note", None),),
            warnings=(Remark("a warning", None),),
        )


def test_what_can_be_done_about_a_row_is_told_beside_its_reason_and_not_kept_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "c.run"
    plan = kept(sheet(tmp_path / "c.csv", [("0917 123 4567", "a")]), path, PlanOptions())
    assert [(reason.says, reason.advice) for reason in plan.findings.reasons] == [
        ("no dialing code", Advice.SAY_COUNTRY)
    ]
    with open_run(path) as run:
        assert [error for *_, error, _ in run.planned()] == ["no dialing code"]


def test_rows_that_repeat_number_and_text_are_told_and_sent(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "a"), (BEN, "a"), ("+63 917 123 4567", "a"), (ANA, "b"), (ANA, "a")])
    plan = counted(name, PlanOptions())
    assert plan.overview.rows == 5
    assert plan.overview.crowds == (Crowd(PhoneNumber(ANA), 4, 4),)
    assert advised(plan.findings.warnings[0]) == (
        "2 rows have the same number and text as an earlier one: row 3 (as row 1), row 5 (as row 1); they are sent all "
        "the same: --duplicates skip leaves them out"
    )
    told = counted(name, PlanOptions(duplicates=Duplicates.SEND))
    assert not any("same number and text" in warning.says for warning in told.findings.warnings)


def test_rows_to_the_phone_of_another_with_another_text_are_told_with_count_and_example(tmp_path: Path) -> None:
    name = sheet(
        tmp_path / "c.csv", [(ANA, "Hi Ana"), (BEN, "Hi Ben"), ("+63 917 123 4567", "Hi Anna"), (ANA, "Hi Ana")]
    )
    told = counted(name, PlanOptions())
    says = f"1 row goes to the phone of an earlier one, with another text: row 3 ({ANA}, as row 1); they are sent all "
    says += "the same"
    assert [advised(one) for one in told.findings.warnings if "another text" in one.says] == [
        f"{says}: --one-per-number keeps the first to each phone"
    ]
    skipped = counted(name, PlanOptions(duplicates=Duplicates.SKIP)).findings.warnings
    assert f"{says}, for what is compared is the number with the text" in [warning.says for warning in skipped]


def test_one_message_a_phone_keeps_the_first_and_names_it_to_the_others(tmp_path: Path) -> None:
    rows = [("x", "a"), (ANA, "a"), (BEN, "a"), ("+63 917 123 4567", "b"), (ANA, "a"), ("", "c")]
    name, path = sheet(tmp_path / "c.csv", rows), tmp_path / "c.run"
    plan = kept(name, path, PlanOptions(one_per_number=True, duplicates=Duplicates.SKIP))
    with open_run(path) as run:
        assert [(status, error) for _, status, *_, error, _ in run.planned()][1:5] == [
            ("pending", ""), ("pending", ""), *[("skipped", "an earlier row goes to the same phone: row 2")] * 2,
        ]  # fmt: skip
        assert run.facts.one_per_number
    assert (plan.overview.rows, plan.overview.crowds, plan.tally.statuses[Status.SKIPPED]) == (2, (), 2)
    (reason,) = [reason for reason in plan.findings.reasons if reason.status is Status.SKIPPED]
    assert (reason.says, reason.rows) == ("an earlier row goes to the same phone", 2)
    assert [example.value for example in reason.examples] == [f"{ANA}, as row 2"] * 2
    assert not any("earlier one" in warning.says for warning in plan.findings.warnings)


def test_contacts_are_not_compared_with_numbers_and_that_is_said_where_it_matters(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "", "a"), ("", "7", "a"), ("", "7", "b")], ("to", "contactId", "message"))
    says = "they are compared with each other, not with the numbers of other rows"
    for options, is_told in ((PlanOptions(), False), (PlanOptions(one_per_number=True), True)):
        assert any(says in warning.says for warning in counted(name, options).findings.warnings) == is_told


def test_rows_that_are_not_sent_repeat_nothing_and_crowd_nobody(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "x" * 2_000), (ANA, "x" * 2_000), (BEN, "a"), (BEN, "a"), (ANA, "b")])
    plan = counted(name, PlanOptions(exclusions=Exclusions(frozenset({PhoneNumber(BEN)}), "d")))
    assert plan.overview.crowds == ()
    assert not any("same number and text" in warning.says for warning in plan.findings.warnings)


def test_only_messages_to_the_philippines_are_judged_by_its_carriers_rules(tmp_path: Path) -> None:
    american = [("12125550123", "ACME SMS", "a"), ("", "ACME SMS", "a"), ("12125550123", "ACME SMS", "bit.ly/x")]
    header = ("to", "from", "message")
    warnings = counted(sheet(tmp_path / "us.csv", american, header), PlanOptions()).findings.warnings
    assert not any((warning.rule or "").startswith("PH-") for warning in warnings)
    mixed = sheet(tmp_path / "ph.csv", [*american, (ANA, "ACME SMS", "a")], header)
    warnings = counted(mixed, PlanOptions()).findings.warnings
    assert [warning.says for warning in warnings if "'SMS'" in warning.says] == [
        "the sender id 'ACME SMS' holds 'SMS': Philippine carriers refuse such ones (1 message: row 4)"
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (PlanOptions(gsm=True), "another choice about typographic characters"),
        (PlanOptions(duplicates=Duplicates.FAIL), "another choice about rows that repeat another"),
        (PlanOptions(sender="Other"), "another sender"),
        (PlanOptions(new_prefixes=True), "another choice about new prefixes"),
    ],
)
def test_a_saved_plan_is_sent_as_it_is_or_not_at_all_and_a_refusal_changes_nothing(
    tmp_path: Path, options: PlanOptions, words: str
) -> None:
    name, path = sheet(tmp_path / "c.csv", [(ANA, "a")]), tmp_path / "c.run"
    campaign.plan(PlanRequest(name, PlanOptions(), Address(0, "https://x.test")), path).close()
    with pytest.raises(UsageError, match=words):
        campaign.own_as_planned(path, said(options, org_id=1, base_url=""))
    assert (facts_of(path).org_id, facts_of(path).base_url) == (0, "https://x.test")


def test_a_run_planned_with_plain_characters_is_not_sent_when_these_are_declined(tmp_path: Path) -> None:
    name, path = sheet(tmp_path / "c.csv", [(ANA, "it\u2019s")]), tmp_path / "c.run"
    campaign.plan(PlanRequest(name, PlanOptions(gsm=True), HERE), path).close()
    with pytest.raises(UsageError, match="as it was planned, not with another choice about typographic characters"):
        campaign.own_as_planned(path, Terms(gsm=False))
    for as_planned in (Terms(), Terms(gsm=True)):  # of which nothing is said is as planned
        with campaign.own_as_planned(path, as_planned) as run:
            assert run.facts.gsm
            assert run.plan().previews[0].text == "it's"


def test_a_mapping_that_json_lines_never_fulfil_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f'{{"to": "{ANA}", "Text": "own"}}\n')
    with pytest.raises(UsageError, match="there is no column 'Txt' for the field 'message'"):
        counted(str(path), PlanOptions(message="generic", mapping=(("message", "Txt"),)))


def test_a_run_is_gone_on_with_in_the_encoding_it_was_planned_with(tmp_path: Path) -> None:
    path, run = tmp_path / "c.csv", tmp_path / "c.run"
    path.write_bytes(("to,message\n" + ANA + "," + "\u4f60" * 400 + "\n").encode("utf-16-le"))
    options = PlanOptions(reading=ReadOptions(encoding="utf-16-le"))
    _begin_and_reopen(str(path), run, options, options, row=1)


def test_rows_that_repeat_another_are_skipped_on_request(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "a"), (BEN, "b"), (BEN, "b"), (ANA, "a"), (ANA, "b"), (ANA, "a")])
    path = tmp_path / "c.run"
    repeated = "the same number and text as an earlier row"
    plan = kept(name, path, PlanOptions(duplicates=Duplicates.SKIP))
    assert (plan.tally.statuses[Status.SKIPPED], plan.overview.rows, plan.overview.price) == (3, 3, 60_000)
    assert plan.overview.crowds == (Crowd(PhoneNumber(ANA), 2, 2),)
    assert [(reason.status, reason.says, reason.rows) for reason in plan.findings.reasons] == [
        (Status.SKIPPED, repeated, 3)
    ]
    with open_run(path) as run:
        assert [(row, status, error) for row, status, *_, error, _ in run.planned() if error] == [
            (3, "skipped", repeated), (4, "skipped", repeated), (6, "skipped", repeated),
        ]  # fmt: skip


def test_rows_that_repeat_another_refuse_the_input_on_request(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "a"), (ANA, "a")])
    for plan in (counted, lambda name, options: kept(name, tmp_path / "c.run", options)):
        with pytest.raises(InputError, match=r"c\.csv: 1 row has .* earlier one: row 2 \(as row 1\)"):
            plan(name, PlanOptions(duplicates=Duplicates.FAIL))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.csv"]
    others = sheet(tmp_path / "d.csv", [(ANA, "a"), (ANA, "b")])
    assert counted(others, PlanOptions(duplicates=Duplicates.FAIL)).overview.rows == 2


def test_those_on_the_list_are_skipped_however_their_numbers_are_written(tmp_path: Path) -> None:
    listed = tmp_path / "optouts.csv"
    listed.write_text("Name,Mobile\nAna,0917-123-4567\nnobody,\n")
    name = sheet(tmp_path / "c.csv", [("+639171234567", "a"), (BEN, "a"), (ANA, "b")])
    options = PlanOptions(exclusions=read_exclusions([listed], "PH"))
    plan = counted(name, options)
    assert (plan.tally.statuses[Status.SKIPPED], plan.overview.rows) == (2, 1)
    (reason,) = plan.findings.reasons
    assert reason.says == "on the list of those to leave out"
    assert (reason.rows, [example.row for example in reason.examples]) == (2, [1, 3])
    _begin_and_reopen(name, tmp_path / "c.run", options, replace(options, exclusions=Exclusions()))


def test_a_begun_run_takes_no_other_way_of_reading_the_input(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "it\u2019s"), (BEN, "a")])
    for number, (change, words) in enumerate(
        [
            ({"gsm": True}, "another choice about typographic characters"),
            ({"duplicates": Duplicates.SKIP}, "another choice about rows that repeat another"),
            ({"one_per_number": True}, "another choice about several messages to one phone"),
            ({"countries": ("PH",)}, "other countries that may be texted"),
        ]
    ):
        with pytest.raises(UsageError, match=words):
            _begin_and_reopen(name, tmp_path / f"{number}.run", PlanOptions(), replace(PlanOptions(), **change))  # type: ignore[arg-type]


def test_the_countries_of_a_run_hold_when_it_goes_on(tmp_path: Path) -> None:
    name = sheet(tmp_path / "c.csv", [(ANA, "a"), ("6581234567", "a"), (BEN, "b")])
    options = PlanOptions(countries=("PH",))
    plan = kept(name, tmp_path / "c.run", options)
    assert (plan.tally.statuses[Status.SKIPPED], plan.overview.rows) == (1, 2)
    assert [(reason.rows, reason.says) for reason in plan.findings.reasons] == [
        (1, "it is a number of SG, and only PH may be texted")
    ]
    assert facts_of(tmp_path / "c.run").countries == ("PH",)
    _begin_and_reopen(name, tmp_path / "c.run", options, options, row=1)
    with pytest.raises(UsageError, match="other countries that may be texted"):
        _begin_and_reopen(name, tmp_path / "d.run", options, PlanOptions(), row=1)


def _begin_and_reopen(name: str, path: Path, first: PlanOptions, then: PlanOptions, row: int = 2) -> None:
    request = PlanRequest(name, first, HERE, "c")
    campaign.plan(request, path).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO sends (row, state, attempts, started_at) VALUES (?, 'sent', 1, 1.0)", [row])
    run = campaign.reopen(request, path)
    assert run is not None
    run.close()
    again = campaign.reopen(replace(request, options=then), path)
    assert again is not None
    again.close()


def test_a_saved_plan_can_be_given_another_address_until_it_has_begun(tmp_path: Path) -> None:
    name, path = sheet(tmp_path / "c.csv", [(ANA, "a")]), tmp_path / "c.run"
    campaign.plan(PlanRequest(name, PlanOptions(), Address(0, "https://x.test")), path).close()
    with pytest.raises(UsageError, match="no organization id"):
        campaign.own_as_planned(path, said(PlanOptions()))
    campaign.own_as_planned(path, said(PlanOptions(), org_id=5, base_url="https://y.test")).close()
    assert (facts_of(path).org_id, facts_of(path).base_url) == (5, "https://y.test")
    campaign.own_as_planned(path, said(PlanOptions())).close()


def test_many_different_flaws_are_counted_in_bounded_room(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"to": "639171234567", "message": "a"}\n' + "not json\n" * 5_000)
    plan = counted(str(path), PlanOptions())
    assert plan.tally.statuses[Status.INVALID] == 5_000
    assert len(plan.findings.reasons) <= 1_001
    assert Counter(reason.status for reason in plan.findings.reasons).keys() == {Status.INVALID}
    assert sum(reason.rows for reason in plan.findings.reasons) == 5_000


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    name = sheet(path, [(ANA, "a")] * 5_000)
    with closing(Source(name)) as source:
        with path.open("a") as file:
            file.write(f"{BEN},late\n")
        with pytest.raises(InputError, match="changed while it was read"):
            plan_into(source, PlanOptions(), None)
