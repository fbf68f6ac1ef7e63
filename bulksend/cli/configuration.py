"""bulksend.toml: where it lies, whether it can be trusted, and what stands in it."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bulksend.errors import UsageError

FILE = Path("bulksend.toml")
KEY_NAME = "api-key"
LINT = "lint"

_ROOT = 0  # who can change the program itself


@dataclass(frozen=True, slots=True)
class Configuration:
    """What stands in one bulksend.toml; nothing, where there is none.

    Attributes:
        path: the file, as people are told of it; None if there is none.
        folder: what paths in it are relative to; empty if that is the current folder.
        settings: values by the names of options, with dashes.
        lint: the table that says what texts and senders are held against, as it stands there.
    """

    path: Path | None = None
    folder: Path = Path()
    settings: Mapping[str, object] = field(default_factory=dict)
    lint: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_here(self) -> bool:
        """Whether it lies in the current folder, where whoever runs the command sees it."""
        return self.folder == Path()


def read_configuration(named: Path | None = None) -> Configuration:
    """What holds in the current folder, or the file that is named.

    Raises:
        UsageError: it cannot be read, somebody else can write it, or it is no TOML.
    """
    path = _found() if named is None else named
    if path is None:
        return Configuration()
    if named is None:
        _check_folders(path)
    import tomllib  # noqa: PLC0415 -- most folders have no such file

    content, mode = _read(path)
    try:
        found = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: this is not TOML: {error}") from error
    lint = found.pop(LINT, {})
    if not isinstance(lint, dict):
        raise UsageError(f"{path}: {LINT!r} is a table: write [{LINT}] above what belongs to it")
    settings = dict(_with_dashes(path, found))
    _check_key(path, settings.get(KEY_NAME), mode)
    folder = path.absolute().parent
    return Configuration(path, Path() if folder == _here() else folder, settings, lint)


def _found() -> Path | None:
    """The nearest file: in the current folder or, at home, in one above it up to the home."""
    here = _here()
    if here is None:
        return None
    if os.path.lexists(FILE):
        return FILE
    return next((place for folder in _above(here) if os.path.lexists(place := folder / FILE)), None)


def _here() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # somebody removed it
        return None


def _above(here: Path) -> Iterator[Path]:
    try:
        home = Path.home().resolve()
    except (OSError, RuntimeError):
        return
    if here != home and here.is_relative_to(home):
        for folder in here.parents:
            yield folder
            if folder == home:
                return


def _check_folders(path: Path) -> None:
    """See that nobody else can put another file in its place."""
    try:
        folders = {path.absolute().parent, path.resolve().parent}
        states = [(folder, folder.stat()) for folder in folders]
        is_file = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not is_file:
        raise UsageError(f"{path}: cannot be read: it is no regular file")
    for folder, state in states:
        if state.st_uid not in {_ROOT, os.geteuid()}:
            raise UsageError(
                f"{path}: its folder {folder} belongs to somebody else (user {state.st_uid}), who could put another "
                "file there: keep it in a folder of yours, or name it with --config"
            )
        if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UsageError(
                f"{path}: others can write its folder, and could put another file there: "
                f"chmod go-w {shlex.quote(str(folder))}"
            )


def _read(path: Path) -> tuple[str, int]:
    """What stands in it, and who may do what with it; both of the same file, whatever is put in its place meanwhile."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            _check_own(path, state)
            return file.read().decode(), state.st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _check_own(path: Path, state: os.stat_result) -> None:
    if state.st_uid not in {_ROOT, os.geteuid()}:
        raise UsageError(
            f"{path}: this file belongs to somebody else (user {state.st_uid}), who could change what is sent: make it "
            f"yours with chown {os.geteuid()} {shlex.quote(str(path))}"
        )
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISCHR(state.st_mode):  # as /dev/null is
        raise UsageError(
            f"{path}: others can write this file, and could change what is sent: chmod go-w {shlex.quote(str(path))}"
        )


def _check_key(path: Path, key: object, mode: int) -> None:
    if key is None:
        return
    if not isinstance(key, str):
        raise UsageError(f"{path}: {KEY_NAME!r} takes text, in quotes")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"{path}: others can read this file, and the API key stands in it: chmod 600 {shlex.quote(str(path))}"
        )


def _with_dashes(path: Path, found: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in found.items():
        name = key.replace("_", "-")
        if name != key and name in found:
            raise UsageError(f"{path}: {name!r} and {key!r} are the same option: leave one out")
        yield name, value


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> UsageError:
    why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return UsageError(f"{path}: cannot be read: {why or error}")
