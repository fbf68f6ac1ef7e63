"""What holds and where it comes from is shown, and nothing that is secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bulksend import cli
from bulksend.cli.codes import ExitCode
from bulksend.cli.masking import masked, without_password
from bulksend.cli.settings import every_command, key_of

KEY = "k3y-that-nobody-may-see"
HIDDEN = "********"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a folder for campaigns, in which commands are run without settings."""
    for name in list(os.environ):
        if (name.startswith("BULKSEND_") and name != "BULKSEND_STATE_DIR") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    campaigns = tmp_path / "home" / "campaigns"
    campaigns.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(campaigns.parent))
    monkeypatch.chdir(campaigns)
    Path("in.csv").write_text("to,message\n639171234567,hello\n", encoding="utf-8")
    return campaigns.parent


def settle(folder: Path, text: str) -> Path:
    path = folder / "bulksend.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, tuple[str, str | None]]:
    assert cli.run(["config", "show", "--json", *arguments]) == ExitCode.OK
    settings = json.loads(capsys.readouterr().out)["settings"]
    return {each["name"]: (each["from"], each["value"]) for each in settings}


def test_each_option_is_shown_with_where_it_comes_from(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settle(home, 'rate = 5\nretries = 1\nonly = ["City=Cebu", "Day=Mon"]\nyes = true\nport = 0')
    monkeypatch.setenv("BULKSEND_RETRIES", "2")
    monkeypatch.setenv("BULKSEND_GSM", "1")
    found = shown(capsys, "in.csv", "--patience", "5m")
    assert found["rate"] == ("file", "5")
    assert found["retries"] == ("environment", "2")
    assert found["gsm"] == ("environment", "true")
    assert found["patience"] == ("flag", "5m")
    assert found["only"] == ("file", "City=Cebu, Day=Mon")
    assert found["yes"] == ("file", "true")
    assert found["port"] == ("file", "0")
    assert found["concurrency"] == ("default", "auto")
    assert found["base-url"] == ("default", "https://api.engagespark.com")
    assert found["org-id"] == ("default", None)
    assert cli.run(["config", "show"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"file: {path}"
    assert ["retries", "environment", "2"] in [line.split() for line in lines]
    assert ["org-id", "default", "-"] in [line.split() for line in lines]
    assert ["cap", "default", "63=5/60"] in [line.split() for line in lines]  # which holds, though nobody said it


def test_every_option_of_every_command_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    keys = {key for command in every_command().values() for param in command.params if (key := key_of(param))}
    assert keys | {"api-key"} <= set(shown(capsys)) | {"api-key-file", "api-key-command"}


def test_no_secret_is_shown(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settle(home, f'api-key = "{KEY}"\ntoken = "{KEY}"\nbase-url = "https://me:{KEY}@sms.example"')
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{KEY}@proxy.example:3128")
    monkeypatch.setenv("http_proxy", f"me:{KEY}@proxy.example:3128")
    monkeypatch.setenv("BULKSEND_API_KEY_COMMAND", f"vault read -token {KEY}")
    for arguments in ([], ["--json"]):
        assert cli.run(["config", "show", *arguments]) == ExitCode.OK
        told = capsys.readouterr()
        assert KEY not in told.out + told.err
        assert f"vault {HIDDEN}" in told.out
        assert f"https://{HIDDEN}@sms.example" in told.out
        assert f"http://{HIDDEN}@proxy.example:3128" in told.out
        assert f"{HIDDEN}@proxy.example:3128" in told.out


def test_of_several_keys_the_one_that_counts_is_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(home, f'api-key = "{KEY}"')
    assert shown(capsys)["api-key"] == ("file", HIDDEN)
    monkeypatch.setenv("BULKSEND_API_KEY_FILE", "key.txt")
    found = shown(capsys)
    assert found["api-key-file"] == ("environment", "key.txt")
    assert "api-key" not in found
    assert cli.run(["config", "show"]) == ExitCode.OK
    assert f"{HIDDEN}  (another key goes before)" in capsys.readouterr().out
    monkeypatch.setenv("BULKSEND_API_KEY", KEY)
    assert cli.run(["config", "show"]) == ExitCode.USAGE
    assert "are both given in the environment" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--rate", "fast"], ["--no-such-option"]])
def test_what_send_would_refuse_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "show", *arguments]) == ExitCode.USAGE
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("api-key", KEY, HIDDEN),
        (
            "webhook",
            f"https://me:x@hooks.example:8443/services/{KEY}?token={KEY}",
            f"https://hooks.example:8443/{HIDDEN}",
        ),
        ("webhook", f"hooks.example?{KEY}", f"hooks.example/{HIDDEN}"),
        ("on-finish", f"notify --token {KEY}", f"notify {HIDDEN}"),
        ("on-finish", "notify", "notify"),
        ("base-url", f"https://a/b:{KEY}@x.example", f"https://{HIDDEN}@x.example"),
        ("base-url", "https://x.example", "https://x.example"),
        ("message", "Ask us: help@acme.example", "Ask us: help@acme.example"),
        ("from", "a\x1b[2J", "a [2J"),
    ],
)
def test_what_may_be_secret_is_left_out(name: str, value: str, becomes: str) -> None:
    assert masked(name, value) == becomes


def test_an_address_without_a_password_stays_as_it_is() -> None:
    assert [without_password(each) for each in ("localhost,.example", "http://p:3128", "p:3128")] == [
        "localhost,.example",
        "http://p:3128",
        "p:3128",
    ]


# ---- told in the plan ----


def test_a_plan_tells_what_a_file_elsewhere_settles_that_nobody_may_have_in_mind(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settle(home, "yes = true\nsandbox = true\nrate = 5")
    assert cli.run(["send", "in.csv"]) == ExitCode.OK
    assert f"\nFrom {path}: yes\n" in capsys.readouterr().err
    assert cli.run(["send", "in.csv", "--yes", "--new"]) == ExitCode.OK
    assert "From " not in capsys.readouterr().err


def test_it_is_told_masked_and_only_as_far_as_it_holds(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settle(home, 'base-url = "https://me:pw@127.0.0.1:9"\napi-key-command = "echo s3cret"\nyes = false')
    assert cli.run(["estimate", "in.csv"]) == ExitCode.OK
    told = capsys.readouterr().err
    assert f"From {path}: base-url https://{HIDDEN}@127.0.0.1:9, api-key-command echo {HIDDEN}\n" in told
    monkeypatch.setenv("BULKSEND_BASE_URL", "http://127.0.0.1:9")
    assert cli.run(["estimate", "in.csv"]) == ExitCode.OK
    assert f"From {path}: api-key-command echo {HIDDEN}\n" in capsys.readouterr().err


def test_a_file_here_is_not_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    settle(Path(), "yes = true\nsandbox = true")
    assert cli.run(["send", "in.csv"]) == ExitCode.OK
    assert "From " not in capsys.readouterr().err


def test_a_trial_tells_it_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = settle(home, "yes = true\nsandbox = true")
    assert cli.run(["send", "in.csv", "--test-to", "639171234567"]) == ExitCode.OK
    assert f"From {path}: yes\n" in capsys.readouterr().err
