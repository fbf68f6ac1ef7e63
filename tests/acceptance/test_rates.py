"""Rates learned from real runs, and what was charged beside what was estimated."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest
from conftest import CampaignOf, Program, SandboxServer, Start, send_to

from bulksend.errors import UsageError
from bulksend.model import PhoneNumber
from bulksend.runs import Charge, open_run
from bulksend.sms.rates.ratesfile import read_rates

GLOBE = [f"63917{row:07}" for row in range(1_000_000, 1_000_020)]
SMART = [f"63918{row:07}" for row in range(1_000_000, 1_000_005)]
AMERICAN = ["12125550123", "12125550199"]
PRICES = "prefix,microUSD\n63,20000\n63918,25000\n1,7000\n"


@pytest.fixture
def server(sandbox: Start, tmp_path: Path) -> SandboxServer:
    """A sandbox that has prices by prefix."""
    (tmp_path / "prices.csv").write_text(PRICES)
    return sandbox("--rates", str(tmp_path / "prices.csv"))


def charges_of(path: Path) -> list[Charge]:
    with open_run(path) as run:
        return run.charges()


def send(program: Program, server: SandboxServer, name: str = "campaign.csv", *flags: str) -> None:
    sent = program(*send_to(server, "--no-progress", *flags, of=name))
    assert sent.returncode == 0, sent.stderr


@pytest.mark.parametrize("name", ["rates.csv", "rates.toml"])
def test_rates_are_learned_from_what_a_run_was_charged(
    program: Program, server: SandboxServer, campaign_of: CampaignOf, name: str
) -> None:
    campaign_of([*GLOBE, *SMART, *AMERICAN])
    send(program, server)
    learned = program("rates", "learn", "campaign.run", "-o", name)
    assert learned.returncode == 0, learned.stderr
    assert learned.stderr == f"3 rates learned from 27 messages: written to {name}\n"
    assert learned.stdout == ""
    rates = read_rates(program.folder / name)
    assert rates.rates == {"63": 20_000, "63918": 25_000, "1": 7_000}
    day = max(row["sentAt"] for row in program.results())[:10]
    assert rates.source == f"{name} (learned from 27 messages of campaign.run, {day})"


def test_several_runs_are_learned_from_at_once(
    program: Program, server: SandboxServer, campaign_of: CampaignOf
) -> None:
    campaign_of(GLOBE, "globe.csv")
    campaign_of(SMART, "smart.csv")
    send(program, server, "globe.csv")
    send(program, server, "smart.csv")
    learned = program("rates", "learn", "globe.run", "smart.run", "-o", "rates.csv")
    assert learned.returncode == 0, learned.stderr
    with (program.folder / "rates.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["prefix"], line["microUSD"]) for line in lines] == [("63", "20000"), ("63918", "25000")]
    assert {line["source"] for line in lines} == {"learned from 25 messages of globe.run, smart.run"}


def test_where_prices_changed_between_two_runs_the_higher_one_counts_and_that_is_said(
    program: Program, sandbox: Start, server: SandboxServer, campaign_of: CampaignOf
) -> None:
    campaign_of(GLOBE, "before.csv")
    campaign_of(GLOBE[:3], "after.csv")
    send(program, sandbox("--rates", str(write(program, "dearer.csv", "prefix,microUSD\n63,30000\n"))), "after.csv")
    send(program, server, "before.csv")
    learned = program("rates", "learn", "before.run", "after.run", "-o", "rates.toml")
    assert learned.returncode == 0, learned.stderr
    assert "the highest counts" in learned.stderr
    rates = read_rates(program.folder / "rates.toml")
    assert rates.per_part(PhoneNumber(GLOBE[0])) == 30_000
    assert "; the highest where prices differed" in rates.source


def test_the_price_of_a_contact_is_learned_by_the_number_that_the_answer_tells(
    program: Program, server: SandboxServer
) -> None:
    write(program, "campaign.csv", "contactId,message\n1001,Hi\n")
    send(program, server)
    change(program, "DELETE FROM numbers")  # as of a message that was found in the API's list
    assert program("rates", "learn", "campaign.run", "-o", "rates.csv").returncode == 0
    assert read_rates(program.folder / "rates.csv").rates == {"63": 20_000}
    assert codes(program) == ["63"]


def test_a_contact_that_an_answer_does_not_tell_of_is_known_by_its_other_answers(
    program: Program, server: SandboxServer
) -> None:
    write(program, "campaign.csv", "contactId,message\n1001,Hi\n1001,Ho\n")
    send(program, server)
    change(program, "UPDATE sends SET answer = json_set(answer, '$.to', '') WHERE row = 1")
    assert codes(program) == ["63"]


def test_the_price_of_a_part_is_learned_from_messages_of_several(program: Program, server: SandboxServer) -> None:
    write(program, "campaign.csv", f"to,message\n{GLOBE[0]},{'x' * 400}\n")
    send(program, server)
    assert program("rates", "learn", "campaign.run", "-o", "rates.csv").returncode == 0
    assert read_rates(program.folder / "rates.csv").rates == {"63": 20_000}


def test_a_part_that_costs_a_fraction_is_rounded_up_and_that_is_said(
    program: Program, server: SandboxServer, campaign_of: CampaignOf
) -> None:
    campaign_of(GLOBE[:1])
    send(program, server)
    change(program, "UPDATE sends SET charged = 20000, answer = json_set(answer, '$.estimateParts', 3)")
    learned = program("rates", "learn", "campaign.run", "-o", "rates.csv")
    assert "Prices differed within 63: the highest counts." in learned.stderr
    assert read_rates(program.folder / "rates.csv").rates == {"63": 6_667}


def test_a_charge_of_nothing_teaches_nothing(program: Program, server: SandboxServer, campaign_of: CampaignOf) -> None:
    campaign_of([*GLOBE, *SMART])
    send(program, server)
    change(program, "UPDATE sends SET charged = 0 WHERE row > 20")
    assert program("rates", "learn", "campaign.run", "-o", "rates.csv").returncode == 0
    assert read_rates(program.folder / "rates.csv").rates == {"63": 20_000}
    change(program, "UPDATE sends SET charged = NULL WHERE row <= 20")
    nothing = program("rates", "learn", "campaign.run", "-o", "rates.csv")
    assert (nothing.returncode, nothing.stderr) == (
        2,
        "Error: nothing was charged in campaign.run yet: send some messages first, such as with --limit 3\n",
    )
    assert read_rates(program.folder / "rates.csv").rates == {"63": 20_000}


def test_what_is_no_run_or_would_be_overwritten_is_refused(
    program: Program, server: SandboxServer, campaign_of: CampaignOf
) -> None:
    campaign_of(GLOBE[:1])
    send(program, server)
    write(program, "bulksend.toml", "org-id = 1\n")
    (program.folder / "campaign.run").rename(program.folder / "run.csv")
    for arguments, complaint in [
        (("campaign.csv", "-o", "rates.csv"), "campaign.csv: this is not a run file"),
        (("nowhere.run", "-o", "rates.csv"), "nowhere.run: there is no such run file"),
        (("run.csv", "-o", "campaign.csv"), "campaign.csv: this is the input or the run file itself"),
        (("run.csv", "-o", "run.csv"), "run.csv: this is the input or the run file itself"),
        (("run.csv", "-o", "bulksend.toml"), "bulksend.toml: these are bulksend's settings"),
        (("run.csv", "-o", "rates.xlsx"), "rates.xlsx: rates are in a .csv or a .toml file"),
        (("run.csv", "-o", "nowhere/rates.csv"), "nowhere/rates.csv: it cannot be written"),
        (("run.csv",), "Missing option '-o' / '--output'"),
        (("-o", "rates.csv"), "Missing argument 'RUN...'"),
    ]:
        refused = program("rates", "learn", *arguments)
        assert refused.returncode == 2
        assert complaint in refused.stderr
    assert not (program.folder / "rates.csv").exists()


def test_charges_stand_beside_estimates_by_dialing_code(
    program: Program, server: SandboxServer, campaign_of: CampaignOf
) -> None:
    campaign_of([*GLOBE, *SMART, *AMERICAN])
    send(program, server)
    change(program, "UPDATE sends SET charged = NULL WHERE row = 1")
    change(program, "UPDATE sends SET state = 'unknown' WHERE row = 2")
    assert charges_of(program.folder / "campaign.run") == [
        Charge(
            code="63",
            rows=24,
            parts=24,
            estimated=24 * 20_000,
            charged=18 * 20_000 + 5 * 25_000,
            unpriced=0,
            uncharged=1,
        ),
        Charge(code="1", rows=2, parts=2, estimated=0, charged=2 * 7_000, unpriced=2, uncharged=0),
    ]


def test_charges_of_contacts_whose_number_nobody_told_stand_apart(program: Program, server: SandboxServer) -> None:
    write(program, "campaign.csv", f"to,contactId,message\n,1001,Hi\n{AMERICAN[0]},,Hi\n")
    send(program, server)
    change(program, "UPDATE sends SET answer = json_set(answer, '$.to', '') WHERE row = 1")
    change(program, "DELETE FROM numbers")
    assert {charge.code: charge.charged for charge in charges_of(program.folder / "campaign.run")} == {
        "": 20_000,
        "1": 7_000,
    }
    change(program, "DELETE FROM sends WHERE row = 2")
    refused = program("rates", "learn", "campaign.run", "-o", "rates.csv")
    assert refused.returncode == 2
    assert "for a number that is known" in refused.stderr


def test_charges_of_what_is_no_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such run file"):
        charges_of(tmp_path / "nowhere.run")


def write(program: Program, name: str, text: str) -> Path:
    path = program.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def codes(program: Program) -> list[str]:
    return [charge.code for charge in charges_of(program.folder / "campaign.run")]


def change(program: Program, sql: str) -> None:
    """Make of a run what no sandbox does."""
    db = sqlite3.connect(program.folder / "campaign.run", isolation_level=None)
    db.execute(sql)
    db.close()
