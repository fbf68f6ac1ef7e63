"""Where the command line's options come from: flag > environment > bulksend.toml > default."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import click
import pytest

from bulksend import cli
from bulksend.cli import COMMANDS, commands, options, program
from bulksend.cli.codes import ExitCode
from bulksend.cli.settings import Command
from bulksend.errors import UsageError
from bulksend.model import Endpoint
from bulksend.sending import Cap, ErrorLimit, Pace

KEY = "k3y-that-nobody-may-see"


@pytest.fixture(autouse=True)
def folder(own_folder: Path) -> Path:
    """A folder of its own to work in, and an environment without settings."""
    (own_folder / "in.csv").write_text("to,message\n639171234567,hello\n")
    return own_folder


def command(name: str) -> click.Command:
    found = program.get_command(click.Context(program), name)
    assert found is not None
    return found


def context(name: str, *arguments: str) -> click.Context:
    return command(name).make_context(name, [*([] if name == "sandbox" else ["in.csv"]), *arguments])


def values(name: str, *arguments: str) -> dict[str, Any]:
    return context(name, *arguments).params


def toml(text: str) -> None:
    path = Path("bulksend.toml")
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)  # an API key may stand in it


def key(*arguments: str) -> str:
    with context("send", *arguments) as opened:
        return options.TARGET.take(opened.params).key()


def run(*arguments: str) -> int:
    return cli.run(list(arguments))


# ---- which one counts ----


def test_a_flag_goes_before_the_environment_and_that_before_the_file_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert values("send")["concurrency"] is None
    toml("concurrency = 5")
    assert values("send")["concurrency"] == 5
    monkeypatch.setenv("BULKSEND_CONCURRENCY", "6")
    assert values("send")["concurrency"] == 6
    assert values("send", "--concurrency", "7")["concurrency"] == 7
    assert values("send", "--concurrency", "auto")["concurrency"] is None


SAMPLES: dict[str, tuple[str, Any, str]] = {
    # option -> (as written in the environment, what it becomes, as written in bulksend.toml)
    "from": ("ACME", "ACME", '"ACME"'),
    "message": ("Hi", "Hi", '"Hi"'),
    "message-file": ("text.txt", Path("text.txt"), '"text.txt"'),
    "map": ("to=Mobile,contact_id=C", (("to", "Mobile"), ("contactId", "C")), '["to=Mobile", "contact_id=C"]'),
    "only": (
        "City=Cebu,Davao\n\nDay=Mon\n",
        ((("City", "Cebu"), ("City", "Davao")), (("Day", "Mon"),)),
        '["City=Cebu,Davao", "Day=Mon"]',
    ),
    "skip": ("DND=TRUE", ((("DND", "TRUE"),),), '["DND=TRUE"]'),
    "country": ("ph", "ph", '"ph"'),
    "countries": ("us, ph", ("PH", "US"), '"us,PH"'),
    "encoding": ("cp1252", "cp1252", '"cp1252"'),
    "delimiter": ("tab", "tab", '"tab"'),
    "sheet": ("June", "June", '"June"'),
    "header-row": ("4", 4, "4"),
    "visible-only": ("1", True, "true"),
    "rates": ("rates.csv", Path("rates.csv"), '"rates.csv"'),
    "gsm": ("1", True, "true"),
    "exclude": ("a.csv,b.csv", (Path("a.csv"), Path("b.csv")), '["a.csv", "b.csv"]'),
    "duplicates": ("skip", "skip", '"skip"'),
    "one-per-number": ("1", True, "true"),
    "endpoint": ("phonenumber", "phonenumber", '"phonenumber"'),
    "preview": ("5", 5, "5"),
    "strict": ("1", True, "true"),
    "campaign": ("c", "c", '"c"'),
    "org-id": ("7", 7, "7"),
    "base-url": ("https://x.example", "https://x.example", '"https://x.example"'),
    "sandbox": ("true", True, "true"),
    "api-key-file": ("key.txt", Path("key.txt"), '"key.txt"'),
    "api-key-command": ("pass show sms", "pass show sms", '"pass show sms"'),
    "concurrency": ("3", 3, "3"),
    "concurrency-max": ("100", 100, "100"),
    "rate": ("2.5", 2.5, "2.5"),
    "cap": ("63=5/60,1=1/1", (Cap.parse("63=5/60"), Cap.parse("1=1/1")), '["63=5/60", "1=1/1"]'),
    "cap-counts": ("messages", "messages", '"messages"'),
    "timeout": ("9", 9.0, "9"),
    "retries": ("0", 0, "0"),
    "patience": ("90s", 90.0, '"90s"'),
    "run": ("a.run", Path("a.run"), '"a.run"'),
    "results": ("a.csv", Path("a.csv"), '"a.csv"'),
    "max-cost": ("12.50", 12_500_000, "12.5"),
    "max-errors": ("5%", ErrorLimit(5, is_percent=True), '"5%"'),
    "no-dedup": ("1", True, "true"),
    "repeat": ("1", True, "true"),
    "repeat-after": ("1h", 3_600.0, '"1h"'),
    "not-within": ("7d", 604_800.0, '"7d"'),
    "exclude-dead": ("1", True, "true"),
    "history-days": ("90", 90, "90"),
    "wait": ("1", True, "true"),
    "detach": ("1", True, "true"),
    "force": ("1", True, "true"),
    "allow-new-prefixes": ("1", True, "true"),
    "limit": ("2", 2, "2"),
    "start-at": ("tomorrow 09:00", "tomorrow 09:00", '"tomorrow 09:00"'),
    "window": ("ph\nsat,sun 10:00-12:00", ("ph", "sat,sun 10:00-12:00"), '["ph", "sat,sun 10:00-12:00"]'),
    "window-end": ("pause", "pause", '"pause"'),
    "tz": ("Asia/Manila", "Asia/Manila", '"Asia/Manila"'),
    "wait-limit": ("2h", 7_200.0, '"2h"'),
    "test-to": ("0917 123 4567", "0917 123 4567", '"0917 123 4567"'),
    "row": ("3", 3, "3"),
    "dry-run": ("1", True, "true"),
    "yes": ("1", True, "true"),
    "new": ("1", True, "true"),
    "no-progress": ("1", True, "true"),
    "quiet": ("1", True, "true"),
    "verbose": ("1", True, "true"),
    "json": ("1", True, "true"),
    "webhook": ("https://x.example/a", "https://x.example/a", '"https://x.example/a"'),
    "webhook-secret-file": ("secret.txt", Path("secret.txt"), '"secret.txt"'),
    "log-file": ("a.log", Path("a.log"), '"a.log"'),
    "metrics-port": ("9100", 9100, "9100"),
    "metrics-file": ("a.prom", Path("a.prom"), '"a.prom"'),
    "on-finish": ("notify.sh --now", "notify.sh --now", '"notify.sh --now"'),
}


def options_of(name: str) -> dict[str, click.Option]:
    found = {}
    for param in command(name).params:
        if isinstance(param, click.Option) and not param.hidden and param.opts != ["--config"]:
            found[max(param.opts, key=len).removeprefix("--")] = param
    return found


def test_the_samples_are_all_of_sends_options() -> None:
    assert set(SAMPLES) == set(options_of("send"))


@pytest.mark.parametrize("name", SAMPLES)
def test_each_option_of_send_is_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written, becomes, _ = SAMPLES[name]
    monkeypatch.setenv("BULKSEND_" + name.upper().replace("-", "_"), written)
    assert values("send")[options_of("send")[name].name or ""] == becomes


@pytest.mark.parametrize("underscores", [False, True])
@pytest.mark.parametrize("name", SAMPLES)
def test_each_option_of_send_is_read_from_the_file_with_dashes_or_underscores(name: str, *, underscores: bool) -> None:
    _, becomes, written = SAMPLES[name]
    toml(f"{name.replace('-', '_') if underscores else name} = {written}")
    assert values("send")[options_of("send")[name].name or ""] == becomes


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_has_its_variable(name: str) -> None:
    for written, param in options_of(name).items():
        if written == "output":
            continue  # where a table goes is no setting
        assert param.envvar == "BULKSEND_" + written.upper().replace("-", "_"), written


def test_one_value_of_a_repeatable_option_needs_no_list_in_the_file() -> None:
    toml('cap = "63=5/60"\nmap = "to=Mobile"')
    assert values("send")["caps"] == (Cap.parse("63=5/60"),)
    assert values("send")["mapping"] == (("to", "Mobile"),)


def test_a_setting_of_another_command_is_no_error() -> None:
    toml("port = 0\nlimit = 3\nyes = true\norg-id = 5")
    assert values("estimate")["rate"] is None
    assert values("sandbox")["port"] == 0
    assert values("sandbox")["org_id"] == 5


def test_several_caps_in_the_file_do_not_keep_the_sandbox_from_starting() -> None:
    toml('cap = ["63=5/60", "1=1/1"]')
    assert values("sandbox")["port"] == 8080


def test_repeated_flags_replace_those_of_the_file_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    toml('map = ["to=A"]')
    monkeypatch.setenv("BULKSEND_MAP", "to=B")
    assert values("send")["mapping"] == (("to", "B"),)
    assert values("send", "--map", "to=C", "--map", "Contact ID=D")["mapping"] == (("to", "C"), ("contactId", "D"))


# ---- bulksend.toml ----


def test_without_a_file_all_is_default() -> None:
    given = values("send")
    assert (given["endpoint"], given["rate"], given["caps"], given["cap_counts"]) == ("contact", None, (), "parts")
    assert (given["concurrency"], given["timeout"], given["retries"], given["patience"]) == (None, 30.0, 4, 600.0)
    assert not given["yes"]


def test_a_program_that_says_nothing_gets_the_same_pace() -> None:
    assert Pace() == Pace(concurrency=None, rate=None, timeout_s=30.0, retries=4, patience_s=600.0, grace_s=30.0)
    assert (Pace().start, Pace().most, Pace().most_unproven) == (8, 512, 64)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("concurency = 3", "bulksend.toml: there is no option 'concurency'; did you mean 'concurrency'?"),
        ("base_ulr = ''", "bulksend.toml: there is no option 'base-ulr'; did you mean 'base-url'?"),
        (
            "zzz = 1",
            "bulksend.toml: there is no option 'zzz'; known are add, all, allow-new-prefixes, also, api-key, ",
        ),
        ("[send]\nyes = true", "bulksend.toml: there is no option 'send'"),
        ("rate = ", "bulksend.toml: this is not TOML: "),
        ("rate = 1\nrate = 2", "bulksend.toml: this is not TOML: "),
    ],
)
@pytest.mark.parametrize("name", ["send", "estimate"])
def test_a_file_that_cannot_be_understood_is_told_in_a_sentence(
    text: str, says: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    toml(text)
    assert run(name, "in.csv") == ExitCode.USAGE
    assert f"Error: {says}" in capsys.readouterr().err


def test_what_may_be_a_secret_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    toml('webhook = ["https://x.example/s3cret"]')
    assert run("send", "in.csv", "--sandbox") == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "bulksend.toml: 'webhook' (--webhook) takes text" in said
    assert "s3cret" not in said


def test_a_file_in_another_encoding_and_a_folder_of_its_name_are_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("bulksend.toml").write_bytes(b'from = "\xe9"')
    assert run("estimate", "in.csv") == ExitCode.USAGE
    assert "bulksend.toml: cannot be read" in capsys.readouterr().err
    Path("bulksend.toml").unlink()
    Path("bulksend.toml").mkdir()
    assert run("estimate", "in.csv") == ExitCode.USAGE
    assert "bulksend.toml: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        'rate = "fast"',
        "rate = 0",
        "concurrency = 0",
        "concurrency = 1.5",
        "cap = ['x']",
        "map = ['y=Z']",
        "endpoint = 'x'",
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_option(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    toml(text)
    assert run("send", "in.csv", "--sandbox") == ExitCode.USAGE
    assert f"--{text.partition(' ')[0]}" in capsys.readouterr().err


# ---- the key ----


def test_the_key_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_API_KEY", f" {KEY}\n")
    assert key() == KEY


def test_the_key_is_taken_from_the_file() -> None:
    toml(f'api-key = "{KEY}"')
    assert key() == KEY
    toml(f'api_key = "{KEY}"')
    assert key() == KEY


def test_a_key_file_on_the_command_line_goes_before_all(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "key.txt").write_text(KEY + "\n")
    monkeypatch.setenv("BULKSEND_API_KEY", "another")
    assert key("--api-key-file", "key.txt") == KEY


def test_the_environments_key_goes_before_a_key_file_that_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "key.txt").write_text(KEY)
    toml('api-key-file = "key.txt"')
    assert key() == KEY
    monkeypatch.setenv("BULKSEND_API_KEY", "another")
    assert key() == "another"


@pytest.mark.parametrize("place", ["on the command line", "in the environment", "in bulksend.toml"])
def test_two_keys_from_the_same_place_are_refused_and_neither_is_told(
    place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "key.txt").write_text(KEY)
    arguments = []
    if place == "on the command line":
        arguments = ["--api-key-file", "key.txt", "--api-key-command", f"echo {KEY}"]
    elif place == "in the environment":
        monkeypatch.setenv("BULKSEND_API_KEY", KEY)
        monkeypatch.setenv("BULKSEND_API_KEY_FILE", "key.txt")
    else:
        toml(f'api-key-file = "key.txt"\napi-key = "{KEY}"')
    with pytest.raises(UsageError, match=f"are both given {place}, and each names an API key: leave one out") as raised:
        key(*arguments)
    assert KEY not in str(raised.value)


def test_without_a_key_the_sentence_says_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BULKSEND_API_KEY", "  ")
    assert run("send", "in.csv", "--org-id", "1", "--yes") == ExitCode.USAGE
    says = capsys.readouterr().err
    assert "BULKSEND_API_KEY" in says
    assert "--api-key-file" in says
    assert not Path("in.run").exists()


@pytest.mark.parametrize("arguments", [["--api-key", KEY], [f"--api-key={KEY}"]])
@pytest.mark.parametrize("name", ["send", "estimate", "status", "results", "sandbox"])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, "in.csv", *arguments) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err
    if name == "send":
        assert "not taken from the command line" in shown.err
        assert "BULKSEND_API_KEY" in shown.err


@pytest.mark.parametrize("bad", ["two words", "Schlüssel", "a\nb", "\x1b[2J"])
def test_a_key_that_can_be_none_is_refused_and_not_repeated(
    bad: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "key.txt").write_text(bad, encoding="utf-8")
    arguments = ["send", "in.csv", "--org-id", "1", "--yes"]
    assert run(*arguments, "--api-key-file", "key.txt") == ExitCode.USAGE
    assert "key.txt: the API key in it holds" in (first := capsys.readouterr().err)
    monkeypatch.setenv("BULKSEND_API_KEY", bad)
    assert run(*arguments) == ExitCode.USAGE
    assert "BULKSEND_API_KEY: the API key in it holds" in (second := capsys.readouterr().err)
    assert bad not in first + second


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("", "empty"), (" \n", "empty")])
def test_a_key_file_without_a_key_is_told_in_a_sentence(content: str | None, says: str, folder: Path) -> None:
    if content is not None:
        (folder / "key.txt").write_text(content)
    with pytest.raises(UsageError, match=rf"^key\.txt: .*{says}"):
        key("--api-key-file", "key.txt")


@pytest.mark.parametrize("place", ["environment", "file", "key file"])
def test_the_key_is_never_printed_nor_written(
    place: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["send", "in.csv", "--org-id", "1", "--yes", "--patience", "0s", "--base-url", "http://127.0.0.1:9"]
    if place == "environment":
        monkeypatch.setenv("BULKSEND_API_KEY", KEY)
    elif place == "file":
        toml(f'api-key = "{KEY}"')
    else:
        (folder / "key.txt").write_text(KEY)
        arguments += ["--api-key-file", "key.txt"]
    assert run(*arguments) == ExitCode.STOPPED  # nobody listens there
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err
    for file in folder.iterdir():
        if file.name not in {"key.txt", "bulksend.toml"}:
            assert KEY.encode() not in file.read_bytes(), file.name


def test_a_private_sandbox_needs_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("send", "in.csv", "--sandbox", "--yes", "--json") == ExitCode.OK
    assert '"sent":1' in capsys.readouterr().out


# ---- what options become ----


def plan_options(*arguments: str) -> Any:
    with context("send", *arguments) as opened:
        return options.PLAN.take(opened.params).options()


def test_a_message_file_is_the_text_without_its_last_line_end(folder: Path) -> None:
    (folder / "text.txt").write_bytes("\ufeffHi {Name}\r\n\r\nÑ\r\n".encode())
    assert plan_options("--message-file", "text.txt").message == "Hi {Name}\n\nÑ"


def test_message_and_message_file_from_the_same_place_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "text.txt").write_text("from the file")
    with pytest.raises(UsageError, match="both --message and --message-file"):
        plan_options("--message", "a", "--message-file", "text.txt")
    toml('message = "a"\nmessage-file = "text.txt"')
    with pytest.raises(UsageError, match="both --message and --message-file"):
        plan_options()
    assert plan_options("--message", "flag").message == "flag"
    assert plan_options("--message-file", "text.txt").message == "from the file"
    monkeypatch.setenv("BULKSEND_MESSAGE", "environment")
    assert plan_options().message == "environment"
    assert plan_options("--message-file", "text.txt").message == "from the file"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_message_file_that_cannot_be_read_is_told(content: bytes | None, folder: Path) -> None:
    if content is not None:
        (folder / "text.txt").write_bytes(content)
    with pytest.raises(UsageError, match=r"text\.txt: the message (cannot be read|in it is not UTF-8)"):
        plan_options("--message-file", "text.txt")


def test_several_columns_for_one_field_keep_their_order() -> None:
    made = plan_options("--map", "to=B", "--map", "message=Text", "--map", "TO=A")
    assert made.mapping == (("message", "Text"), ("to", "B"), ("to", "A"))


@pytest.mark.parametrize("field", ["contactId", "message", "from"])
def test_a_field_can_be_switched_off(field: str) -> None:
    assert plan_options("--map", f"{field}= ").mapping == ((field, ""),)


def test_choices_of_rows_are_the_same_in_any_order() -> None:
    made = plan_options("--skip", "B=2, 1", "--skip", "A=x", "--skip", "B=1", "--only", 'City="Cebu, PH",')
    assert made.skip == (("A", "x"), ("B", "1"), ("B", "2"))
    assert made.only == (("City", ""), ("City", "Cebu, PH"))
    assert plan_options("--skip", "Unsubscribed=").skip == (("Unsubscribed", ""),)


@pytest.mark.parametrize("option", ["only", "skip"])
def test_a_choice_of_rows_that_is_no_text_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match=f"the text given for --{option} is not UTF-8"):
        plan_options(f"--{option}", "City=Para\udcf1aque")


@pytest.mark.parametrize("text", ["City", "=Cebu", " =Cebu", 'City="Cebu', "City=a\nb"])
def test_a_choice_of_rows_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--only", "--skip"):
        assert run("estimate", "in.csv", option, text) == ExitCode.USAGE
        assert option in capsys.readouterr().err


@pytest.mark.parametrize("text", ["to", "to=", "=A", "name=A", "to= "])
def test_a_mapping_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("estimate", "in.csv", "--map", text) == ExitCode.USAGE
    assert "write FIELD=COLUMN, with one of the fields to, contactId, message, from" in capsys.readouterr().err


def test_fields_of_a_mapping_are_found_whatever_their_case_and_columns_may_hold_equals_signs() -> None:
    assert values("send", "--map", "Contact_ID= A=B ")["mapping"] == (("contactId", "A=B"),)


def test_the_rest_becomes_what_the_campaign_takes() -> None:
    made = plan_options("--country", "ph", "--endpoint", "phonenumber", "--from", "ACME")
    assert (made.country, made.endpoint, made.sender) == ("PH", Endpoint.PHONENUMBER, "ACME")
    pace = options.PACE.take(values("send", "--timeout", "2", "--rate", "50")).options().pace
    assert (pace.timeout_s, pace.grace_s, pace.rate, pace.concurrency) == (2.0, 2.0, 50.0, None)


def test_a_sandbox_on_the_command_line_goes_with_no_other_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BULKSEND_BASE_URL", "https://x.example")
    with context("send", "--sandbox") as opened:
        assert options.TARGET.take(opened.params).address == (1, "")
    assert run("send", "in.csv", "--sandbox", "--base-url", "https://x.example") == ExitCode.USAGE
    assert "--sandbox starts a server of its own" in capsys.readouterr().err


@pytest.mark.parametrize("base_url", ["https://host:99999", "https://[::1", "http://api.engagespark.com", "host"])
def test_an_address_that_cannot_be_used_is_told_in_a_sentence_before_anything_is_planned(
    base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BULKSEND_API_KEY", KEY)
    assert run("send", "in.csv", "--org-id", "1", "--yes", "--base-url", base_url) == ExitCode.USAGE
    assert base_url in capsys.readouterr().err
    assert not Path("in.run").exists()


@pytest.mark.parametrize("name", ["", ".", "/"])
@pytest.mark.parametrize("asked", ["send", "estimate"])
def test_an_input_that_is_no_file_is_told_in_a_sentence(
    name: str, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [asked, name, *(["--sandbox", "--yes"] if asked == "send" else [])]
    assert run(*arguments) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("Error: ")


@pytest.mark.parametrize("results", ["in.csv", "./in.csv"])
def test_the_results_never_replace_the_input(results: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("in.csv").read_bytes()
    assert run("send", "in.csv", "--sandbox", "--yes", "--results", results) == ExitCode.USAGE
    assert run("estimate", "in.csv", "-o", results) == ExitCode.USAGE
    assert Path("in.csv").read_bytes() == before
    assert "in.csv" in capsys.readouterr().err


def test_results_that_cannot_be_written_are_told_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("send", "in.csv", "--sandbox", "--yes", "--results", "nowhere/out.csv") == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "nowhere" in said
    assert "The sandbox took" not in said


# ---- the commands ----


def test_the_list_of_commands_is_that_of_the_modules_with_a_command() -> None:
    modules = {
        info.name: importlib.import_module(f"bulksend.cli.commands.{info.name}")
        for info in pkgutil.iter_modules(commands.__path__)
    }
    with_command = {name for name, module in modules.items() if isinstance(vars(module).get("command"), click.Command)}
    assert set(COMMANDS) == with_command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_reads_settings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(command(name), Command | click.Group)
    assert run(name, "--help") == ExitCode.OK
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: bulksend {name} ")
    for written in options_of(name):
        assert f"--{written}" in shown
    assert "--api-key " not in shown
    assert len(re.findall(r"\.$", COMMANDS[name])) == 1


def test_the_help_of_all_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == ExitCode.OK
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("arguments", [("send", "missing.csv", "--sandbox", "--yes"), ("send", "--no-such-option")])
def test_a_usage_error_is_an_object_for_scripts(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments, "--json") == ExitCode.USAGE
    told = capsys.readouterr()
    said = json.loads(told.out)
    assert (said["exit"], bool(said["reason"])) == (2, True)
    assert said["reason"] in told.err
    assert run(*arguments) == ExitCode.USAGE
    assert capsys.readouterr().out == ""


def test_an_unknown_command_and_an_unknown_option_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sned", "in.csv") == ExitCode.USAGE
    assert run("send", "in.csv", "--concurency", "3") == ExitCode.USAGE
    assert "--concurrency" in capsys.readouterr().err


def test_commas_in_an_address_part_no_names_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    several = "postgresql://me@one:5432,two:5432/sms?target_session_attrs=read-write#june"
    monkeypatch.setenv("BULKSEND_EXCLUDE", f"a.csv,{several},b.csv")
    assert list(map(str, values("send")["exclude"])) == ["a.csv", several, "b.csv"]
