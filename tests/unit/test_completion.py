"""What a shell is offered when somebody presses Tab."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulksend import cli


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def offered(typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("_BULKSEND_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
    with pytest.raises(SystemExit) as ended:
        cli.run([])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out.splitlines()


@pytest.mark.parametrize(
    ("typed", "offers"),
    [
        ("bulksend sta", ["plain,status"]),
        ("bulksend config sh", ["plain,show"]),
        ("bulksend send ca", ["file,ca"]),
        ("bulksend estimate ", ["file,"]),
        ("bulksend status ju", ["file,ju"]),
        ("bulksend send in.csv --run ju", ["file,ju"]),
        ("bulksend database che", ["plain,check"]),
        ("bulksend database check po", [""]),
        ("bulksend send in.csv --rates ", ["file,"]),
        ("bulksend send in.csv --config ", ["file,"]),
        ("bulksend send in.csv --endpoint p", ["plain,phonenumber"]),
        ("bulksend send in.csv --api-key-f", ["plain,--api-key-file"]),
    ],
)
def test_commands_options_choices_and_files_are_offered(
    typed: str, offers: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offered(typed, monkeypatch, capsys) == offers


def test_no_file_of_settings_keeps_a_line_from_being_completed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bulksend.toml").write_text("this is no TOML", encoding="utf-8")
    assert offered("bulksend send ca", monkeypatch, capsys) == ["file,ca"]
