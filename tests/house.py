"""The house: its rooms, what imports what, and what may. As a program, ``python tests/house.py``, it prints that."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1] / "bulksend"

ROOMS = (
    "__main__", "cli", "web", "monitoring", "python", "events", "campaign", "reports", "runs", "engagespark",
    "sending", "planning", "sms", "when", "files", "processes", "patience", "words", "model", "errors", "rules",
)  # fmt: skip
"""From the top floor down: imports point downward only."""


class Arrow(NamedTuple):
    """An import of the package's own.

    Attributes:
        source: the module that imports, such as ``bulksend.cli.watch``.
        target: the module that is imported from.
        name: what of it; empty if the module itself.
    """

    source: str
    target: str
    name: str


@cache
def modules() -> Mapping[str, Path]:
    """Every module by its dotted name; a folder's face bears the folder's."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["bulksend", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def folders() -> frozenset[str]:
    """The dotted names of the folders."""
    return frozenset(name for name, path in modules().items() if path.name == "__init__.py")


@cache
def arrows() -> tuple[Arrow, ...]:
    """Every import, wherever it stands in a module; those of a face stand in its stub."""
    files = [(name, file) for name, path in modules().items() for file in (path, path.with_suffix(".pyi"))]
    return tuple(arrow for name, file in files if file.exists() for arrow in _arrows(name, file))


def public_names(folder: str) -> frozenset[str] | None:
    """The names that a folder's face shows; None if it has no stub that lists them."""
    return _names(modules()[folder].with_suffix(".pyi"))


def room_of(module: str) -> str:
    """The room on the order's list that a module is in."""
    return ([*module.split("."), "__init__"])[1]


def upward() -> list[Arrow]:
    """The imports that run against the order."""
    placed = [each for each in arrows() if room_of(each.source) in ROOMS and room_of(each.target) in ROOMS]
    return [each for each in placed if ROOMS.index(room_of(each.source)) > ROOMS.index(room_of(each.target))]


def past_a_face() -> list[Arrow]:
    """The imports that reach into a folder from outside, or take of its face what it does not show."""
    found = []
    inside = sorted(folders())
    for each in arrows():
        outside_of = [
            folder
            for folder in inside
            if _is_in(each.target, folder) and not _is_in(each.source, folder) and folder != "bulksend"
        ]
        if not outside_of:
            continue
        shown = public_names(outside_of[0])
        if each.target != outside_of[0] or (each.name and shown is not None and each.name not in shown):
            found.append(each)
    return found


def _arrows(module: str, file: Path) -> Iterator[Arrow]:
    known = modules()
    is_face = file.stem == "__init__"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in known:
                    yield Arrow(module, alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            base = parts[: len(parts) - node.level + is_face] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                if f"{target}.{alias.name}" in known and target == "bulksend":
                    yield Arrow(module, f"{target}.{alias.name}", "")
                elif target in known:
                    yield Arrow(module, target, alias.name)


def _is_in(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


@cache
def _names(stub: Path) -> frozenset[str] | None:
    if not stub.exists():
        return None
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return frozenset(alias.asname or alias.name for node in imports for alias in node.names)


def main() -> None:
    """Print the rooms from the top floor down, the lines of their modules, and what each imports."""
    uses = defaultdict(set)
    for each in arrows():
        if room_of(each.source) != room_of(each.target):
            uses[room_of(each.source)].add(room_of(each.target))
    for room in ROOMS:
        files = {name: path for name, path in modules().items() if room_of(name) == room}
        if not files:
            continue
        lines = {name.partition(f"bulksend.{room}")[2].lstrip("."): _lines(path) for name, path in files.items()}
        below = [each for each in ROOMS if each in uses[room]]
        sys.stdout.write(f"{room} ({sum(lines.values()):,} lines) imports {', '.join(below) or 'nothing'}\n")
        told = [f"{name} {count}" for name, count in lines.items() if name]
        if told:
            sys.stdout.write(f"    {', '.join(told)}\n")


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    main()
