"""What is remarked on texts and senders is an error, where that is said; and what a house says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulksend import cli
from bulksend.cli.codes import ExitCode
from bulksend.cli.strictness import refused_by
from bulksend.errors import Remark, UsageError
from bulksend.planning import Findings, Lint, Sector, lint_from
from bulksend.rules import Rule

ANA = "639171234567"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet(text: str, to: str = ANA) -> None:
    Path("in.csv").write_text(f'to,message\n{to},"{text}"\n', encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    return cli.run(list(arguments)), capsys.readouterr().err


@pytest.mark.parametrize("command", [("estimate",), ("send", "--sandbox", "--yes"), ("send", "--dry-run")])
def test_a_remark_on_a_text_is_an_error_before_anything_is_sent(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    sheet("Big sale")
    flags = (command[0], "in.csv", "--from", "ACME", "--strict", *command[1:])
    code, said = run(capsys, *flags)
    assert code == ExitCode.USAGE
    assert "warning: 1 row has 'sale' in the text, and no way to opt out: row 1; " in said
    assert "nothing was sent: with --strict these remarks on texts and senders are errors: PH-OPTOUT; " in said
    assert "The sandbox took" not in said


def test_a_test_send_is_held_against_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    sheet("Big sale")
    flags = ("send", "in.csv", "--from", "ACME", "--sandbox", "--yes", "--test-to", ANA, "--strict")
    code, said = run(capsys, *flags)
    assert (code, "PH-OPTOUT" in said) == (ExitCode.USAGE, True)


def test_a_test_send_goes_to_no_other_country_than_may_be_texted(capsys: pytest.CaptureFixture[str]) -> None:
    sheet("Hi")
    flags = ("send", "in.csv", "--from", "ACME", "--sandbox", "--yes", "--test-to", "+65 8123 4567")
    code, said = run(capsys, *flags, "--countries", "PH")
    assert (code, "it is a number of SG, and only PH may be texted" in said) == (ExitCode.USAGE, True)


def test_a_plan_that_is_sent_later_is_held_against_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    sheet("Big sale")
    run(capsys, "estimate", "in.csv", "--from", "ACME", "--sandbox", "--save", "kept.run")
    code, said = run(capsys, "send", "kept.run", "--sandbox", "--yes", "--strict")
    assert (code, "PH-OPTOUT" in said) == (ExitCode.USAGE, True)


def test_what_only_costs_more_or_is_told_of_people_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.csv").write_text(
        f"to,message,Unsubscribed\n{ANA},Hi \u2026,FALSE\n{ANA},Hi \u2026,TRUE\n", encoding="utf-8"
    )
    code, said = run(capsys, "estimate", "in.csv", "--from", "ACME", "--strict")
    assert code == ExitCode.OK
    assert "[CONSENT]" in said
    assert "[TEXT-UCS2]" in said


def test_a_rule_that_is_allowed_is_told_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    sheet("Big sale")
    Path("bulksend.toml").write_text('[lint]\nallow = ["ph-optout"]\n', encoding="utf-8")
    code, said = run(capsys, "estimate", "in.csv", "--from", "ACME", "--strict")
    assert (code, "[PH-OPTOUT]" in said) == (ExitCode.OK, True)


def test_what_a_house_says_of_itself_is_read_from_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    sheet("See https://other.example/x")
    Path("bulksend.toml").write_text(
        '[lint]\ncompany = "ACME Foods"\nlink-hosts = ["acme.example"]\nsenders = ["ACME"]\nsector = "bank"\n',
        encoding="utf-8",
    )
    code, said = run(capsys, "estimate", "in.csv", "--from", "Shop", "--strict")
    assert code == ExitCode.USAGE
    assert "errors: PH-SENDER, PH-LINK-PLAIN, PH-LINK-BANK, PH-NAME; " in said


def test_settings_that_cannot_be_used_are_told_with_their_file(capsys: pytest.CaptureFixture[str]) -> None:
    sheet("Hi")
    Path("bulksend.toml").write_text('[lint]\ncompani = "ACME"\n', encoding="utf-8")
    code, said = run(capsys, "estimate", "in.csv")
    assert code == ExitCode.USAGE
    assert "bulksend.toml: lint: there is no key 'compani'; did you mean 'company'?" in said


def test_a_table_says_what_a_house_is() -> None:
    assert lint_from({}) == Lint()
    said = {
        "company": ["ACME", " ACME Foods "],
        "link_hosts": "WWW.Acme.example",
        "senders": ["ACME", "Shop"],
        "sector": "bank",
        "allow": ["PH-NAME"],
    }
    assert lint_from(said) == Lint(
        ("ACME", "ACME Foods"),
        frozenset({"acme.example"}),
        frozenset({"ACME", "Shop"}),
        Sector.BANK,
        frozenset({Rule.PH_NAME}),
    )


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"zzz": 1}, "lint: there is no key 'zzz'; known are allow, company, link_hosts, sector, senders"),
        ({"company": 7}, "lint: 'company' takes a text, or a list of texts, not 7"),
        ({"company": ["ACME", ""]}, "lint: 'company' takes a text, or a list of texts, not ['ACME', '']"),
        ({"senders": {"a": 1}}, "lint: 'senders' takes a text, or a list of texts, not {'a': 1}"),
        (
            {"link-hosts": ["https://acme.example/x"]},
            "lint: 'link_hosts' takes hosts such as 'acme.example', without scheme or path, not 'https://acme.example/x'",
        ),
        ({"sector": "banc"}, "lint: 'sector' cannot be 'banc'; did you mean 'bank'?"),
        ({"sector": 7}, "lint: 'sector' cannot be 7; it is one of bank, other"),
        ({"allow": ["PH-NAMES"]}, "lint: 'allow' cannot be 'PH-NAMES'; did you mean 'PH-NAME'?"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_in_a_sentence(table: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError) as error:
        lint_from(table)
    assert str(error.value) == says


@pytest.mark.parametrize("rule", Rule)
def test_each_rule_is_strict_or_not_and_can_be_allowed(rule: Rule) -> None:
    findings = Findings(warnings=(Remark("so it is", rule),))
    assert bool(refused_by(findings, ())) == rule.is_strict
    assert refused_by(findings, (rule,)) == ()
