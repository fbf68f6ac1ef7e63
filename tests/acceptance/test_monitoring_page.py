"""What docs/monitoring.md shows is what other programs are told."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from receiver import Received, receiving

from bulksend.cli.on_finish import VARIABLES
from bulksend.monitoring import Webhook

PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
BODY = b'{"run":"june.run","sent":3}'
SECRET = b"s3cret"


def example(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


async def told(wall_s: float) -> Received:
    with receiving() as receiver:
        assert await Webhook(receiver.url, SECRET).tell(BODY, wall_s) == ""
    return receiver.seen[0]


async def test_the_check_in_python_knows_what_is_genuine_and_new() -> None:
    names: dict[str, Any] = {}
    exec(example("check in Python"), names)  # noqa: S102 -- it is ours
    seen = await told(time.time())
    at, signature = (seen.fields[f"X-Bulksend-{name}"] for name in ("Timestamp", "Signature"))
    assert names["is_genuine"](SECRET, at, signature, BODY)
    assert not names["is_genuine"](SECRET, at, signature, BODY + b" ")
    assert not names["is_genuine"](b"other", at, signature, BODY)
    old = await told(time.time() - 3_600)
    assert not names["is_genuine"](
        SECRET, *(old.fields[f"X-Bulksend-{name}"] for name in ("Timestamp", "Signature")), BODY
    )


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
@pytest.mark.parametrize("body", [BODY, BODY + b" "])
async def test_the_check_in_a_shell_knows_what_is_genuine(body: bytes, tmp_path: Path) -> None:
    seen = await told(time.time())
    (tmp_path / "body.json").write_bytes(body)
    (tmp_path / "secret.txt").write_bytes(SECRET + b"\n")
    names = {"TIMESTAMP": seen.fields["X-Bulksend-Timestamp"], "SIGNATURE": seen.fields["X-Bulksend-Signature"]}
    shell = subprocess.run(  # noqa: ASYNC221 -- nothing else goes on
        ["sh", "-c", example("check in a shell")], cwd=tmp_path, env=names, capture_output=True, text=True, check=False
    )
    assert shell.stdout == ("genuine\n" if body == BODY else ""), shell.stderr


def test_every_variable_of_the_command_stands_there() -> None:
    section = PAGE.partition("### `--on-finish CMD`")[2].partition("\n## ")[0]
    table = section.partition("| variable | field |")[2].partition("\n\n")[0]
    assert set(re.findall(r"BULKSEND_\w+", table)) == set(VARIABLES)
