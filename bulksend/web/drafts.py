"""What a person has chosen so far for a campaign, kept so that a restart finds it; never the key."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from bulksend.runs import DatabaseRun, Place, place_of
from bulksend.web.private import private_folder, write_private
from bulksend.when import ALWAYS, NOW, Schedule, Wanted, WindowEnd

_KEY = re.compile(r"[0-9a-f]{16}")
_FILE = "draft.json"

Pairs = tuple[tuple[str, str], ...]
"""(column, value) pairs."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as far as it is chosen.

    Attributes:
        key: what names it in addresses.
        input_name: the sheet's file; empty as long as none is chosen.
        sheet: of a workbook, the name of the sheet; empty if it is found out.
        numbers: the column of the numbers; empty if it is found out.
        country: whose numbers those without a dialing code are; empty if none is without.
        message: the text of all rows.
        sender: who it is from.
        only: (column, value) pairs of the rows that are not left out.
        skip: (column, value) pairs of the rows that are left out.
        lists: files of those to leave out.
        countries: whose numbers may be texted; none for all.
        one_per_number: whether of several rows to one phone the first is sent alone.
        skips_repeats: whether a row is left out that repeats number and text of an earlier one.
        repeats: whether it is sent again to who got the same of late.
        start_at: not before this moment, as it is written; empty for at once.
        window: only in these hours, as they are written; empty for any.
        zone: by whose clock; empty for the machine's.
        max_cost: micro-USD that it may cost at most; 0 for no limit.
        gsm: whether typographic characters are replaced by plain ones where a text is GSM-7 then.
        not_within: who got anything for so many days is left out; 0 for nobody.
        exclude_dead: whether phones are left out that the last two runs did not reach, by their receipts.
        cap: telcos' limits for one phone, as they are written; none for the known ones.
        cap_counts: what counts against these: "parts" or "messages".
        rehearses: whether it goes to a private sandbox.
        elsewhere: whether its plan was made elsewhere, by choices that are not known here: it is sent as it is.
        run: the place of its plan or run; empty if none is made of what is chosen now.
    """

    key: str
    input_name: str = ""
    sheet: str = ""
    numbers: str = ""
    country: str = ""
    message: str = ""
    sender: str = ""
    only: Pairs = ()
    skip: Pairs = ()
    lists: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    one_per_number: bool = False
    skips_repeats: bool = False
    repeats: bool = False
    start_at: str = ""
    window: str = ""
    zone: str = ""
    max_cost: int = 0
    gsm: bool = False
    not_within: int = 0
    exclude_dead: bool = False
    cap: tuple[str, ...] = ()
    cap_counts: str = "parts"
    elsewhere: bool = False
    rehearses: bool = False
    run: str = ""

    @classmethod
    def read(cls, found: dict[str, Any]) -> Draft:
        """The one that was kept as JSON; what another version kept beside it is left."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: _tupled(value) for name, value in found.items() if name in known})

    @property
    def name(self) -> str:
        """The sheet's name, without where it is."""
        return Path(self.input_name).name

    @property
    def has_run(self) -> bool:
        """Whether the run is there that was planned of it."""
        return bool(self.run) and (self.by_workers or Path(self.run).is_file())

    @property
    def place(self) -> Place:
        """Where that run is."""
        return place_of(self.run)

    @property
    def by_workers(self) -> bool:
        """Whether that run is in a database, so that workers send it."""
        return isinstance(self.place, DatabaseRun)

    @property
    def has_own_plan(self) -> bool:
        """Whether that run is one that the page has planned of it in a database, under its own name."""
        place = self.place
        return isinstance(place, DatabaseRun) and place.name.endswith(self.key) and not self.elsewhere

    def schedule(self, kept: Schedule, now_s: float) -> Schedule:
        """When it is sent; between its hours it waits.

        Args:
            kept: what its run was told before.
            now_s: in seconds since 1970.

        Raises:
            UsageError: something of it cannot be read, or has passed.
        """
        if not (self.start_at or self.window):
            return Schedule()
        windows = (self.window,) if self.window else (ALWAYS,)
        return Wanted(self.start_at or NOW, windows, WindowEnd.PAUSE, self.zone or None).settled(kept, now_s)

    @property
    def mapping(self) -> dict[str, str]:
        """Which column is what, as far as it is said."""
        return {"to": self.numbers} if self.numbers else {}


class Drafts:
    """All of them, each in a folder of its own, with the file that was brought for it.

    Args:
        state: the page's own folder.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "campaigns"

    def begin(self) -> Draft:
        """A new one."""
        draft = Draft(secrets.token_hex(8))
        self.keep(draft)
        return draft

    def find(self, key: str) -> Draft | None:
        """The one of this name; None if there is none."""
        if not _KEY.fullmatch(key):
            return None
        try:
            found: dict[str, Any] = orjson.loads((self._folder / key / _FILE).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        return Draft.read(found | {"key": key})

    def of_run(self, place: str) -> Draft | None:
        """The one whose run lies there; None if there is none."""
        return next((draft for draft in self if draft.run and draft.place == place_of(place)), None)

    def keep(self, draft: Draft) -> None:
        """Keep it as it is now."""
        write_private(self.folder(draft) / _FILE, orjson.dumps(asdict(draft)).decode())

    def remove(self, draft: Draft) -> None:
        """Throw it away, with the file that was brought for it."""
        shutil.rmtree(self._folder / draft.key, ignore_errors=True)

    def unbring(self, draft: Draft, path: Path) -> None:
        """Remove a file again that was brought for it; one that lies elsewhere stays."""
        if path.is_relative_to(self.folder(draft)):
            path.unlink(missing_ok=True)

    def folder(self, draft: Draft) -> Path:
        """Where all lies that is brought for it."""
        return private_folder(private_folder(self._folder) / draft.key)

    def named(self, says: str) -> str:
        """A sentence that names what was brought without the folders where it lies."""
        return re.sub(rf"{re.escape(str(self._folder))}/{_KEY.pattern}/(sheet(/[0-9a-f]+)?|lists/[0-9a-f]+)/", "", says)

    def new_sheet_folder(self, draft: Draft) -> Path:
        """Where another sheet of it is to lie that is brought."""
        return self._sheets(draft) / secrets.token_hex(4)

    def sweep_sheets(self, draft: Draft) -> None:
        """Remove what was brought as its sheet, with what lies beside that, and is not what is kept now."""
        kept = self.find(draft.key)
        if kept is None:  # somebody removed it meanwhile
            self.remove(draft)
            return
        for left in self._sheets(draft).iterdir():
            if not Path(kept.input_name).is_relative_to(left):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)

    def list_folder(self, draft: Draft) -> Path:
        """Where another list of those to leave out is to lie."""
        return private_folder(self.folder(draft) / "lists") / secrets.token_hex(4)

    def _sheets(self, draft: Draft) -> Path:
        return private_folder(self.folder(draft) / "sheet")

    def __iter__(self) -> Iterator[Draft]:
        """All of them."""
        names = (path.name for path in self._folder.iterdir()) if self._folder.is_dir() else ()
        return (draft for draft in map(self.find, sorted(names)) if draft)


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
