"""What docs/database.md says, by its blocks; and its roles, made in a database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from conftest import ROOT

PAGE = (ROOT / "docs" / "database.md").read_text(encoding="utf-8")
ROLES = ("sender", "worker", "reader")
_AWAY = "DROP OWNED BY sms_reader; DROP ROLE sms_reader;"


def block(name: str) -> str:
    """The lines of a block of code."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w*\n(.+?)\n```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@contextmanager
def made_roles(database: str) -> Iterator[dict[str, str]]:
    """A database's addresses for the page's roles, under names that no other test has."""
    url = urlsplit(database)
    made = {kind: f"{kind}_{url.path.removeprefix('/')}" for kind in ROLES}
    with psycopg.connect(database, autocommit=True) as db:
        for kind, role in made.items():
            for line in block(kind).replace(f"sms_{kind}", role).split(";\n"):
                db.execute(line.encode())
        yield {kind: database.replace(f"//{url.username}@", f"//{role}@") for kind, role in made.items()}
        assert _AWAY in PAGE
        for role in made.values():
            for line in _AWAY.replace("sms_reader", role).split("; "):
                db.execute(line.encode())
