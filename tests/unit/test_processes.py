"""What processes of our own are started with: this package and Python's modules, and nothing of anybody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from conftest import ROOT

from bulksend.processes import environment, own_environment

STARTS = """
import subprocess, sys
from bulksend.processes import command, environment
said = subprocess.run(command("bulksend.runs.sqlite.loading_child"), env=environment(), stderr=subprocess.PIPE).stderr
sys.exit(0 if b"IndexError" in said else said.decode())
"""
"""A process that is told nothing comes as far as asking what its draft is."""


def run(code: str, *words: str, folder: Path, python: str = sys.executable, **env: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | env
    done = subprocess.run(
        [python, *words, "-c", code], cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_who_heeds_no_pythonpath_starts_nobody_who_does(tmp_path: Path) -> None:
    flag, others = tmp_path / "flag", tmp_path / "others"
    others.mkdir()
    (others / "sqlite3.py").write_text(f"open({str(flag)!r}, 'w')")
    found = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
    for isolated in ("-I", "-E"):
        run(f"{found}\n{STARTS}", isolated, folder=tmp_path, PYTHONPATH=str(others))
    assert not flag.exists()


def test_packages_that_are_installed_beside_this_one_stand_behind_pythons_own_modules(tmp_path: Path) -> None:
    venv.create(tmp_path / "installed", with_pip=False, symlinks=True)
    (packages,) = (tmp_path / "installed").glob("lib/python*/site-packages")
    (packages / "bulksend").symlink_to(ROOT / "bulksend")
    here = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "ours.pth").write_text("\n".join(here))
    (packages / "pathlib.py").write_text("from collections import Sequence")  # as that of 2014, which many have
    run(STARTS, folder=tmp_path, python=str(tmp_path / "installed" / "bin" / "python"))


def test_passwords_of_proxies_and_databases_are_nobodys_who_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("BULKSEND_API_KEY", "PGPASSWORD", "HTTPS_PROXY", "http_proxy", "ALL_PROXY")
    for name in secrets:
        monkeypatch.setenv(name, "user:secret@host")
    assert "secret" not in "".join(environment().values())


def test_what_is_said_to_a_command_is_said_to_none_that_works_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ("BULKSEND_STATE_DIR", "PGPASSWORD", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "TZ", "PGSERVICE")
    said = ("BULKSEND_API_KEY", "BULKSEND_RATE", "BULKSEND_MAX_COST", "BULKSEND_BASE_URL")
    for name in (*needed, *said):
        monkeypatch.setenv(name, "x")
    assert {*needed, *said} & own_environment().keys() == {*needed}
