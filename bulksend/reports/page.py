"""``report.html``: a run on one page that needs nothing but itself, for whoever answers for it."""

from __future__ import annotations

from pathlib import Path

from bulksend.errors import UsageError
from bulksend.files import check_replaceable, replacing
from bulksend.reports.charts import check_extra
from bulksend.reports.digest import digest_of
from bulksend.reports.wording import Numbers
from bulksend.runs import Run

_ENDINGS = (".html", ".htm")


def check_page(path: Path, *others: Path) -> None:
    """See, before any work is done, that a page can be written at the end.

    Args:
        path: the file.
        others: files that it must not replace.

    Raises:
        UsageError: it cannot.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{path}: a page is written as .html; give the file this ending")
    check_extra()
    check_replaceable(path, *others)


def write_page(run: Run, path: Path, wall_s: float, *, shows_numbers: bool = False) -> None:
    """Write a run's page; the file is replaced when the new one is whole.

    Args:
        run: the run.
        path: where to.
        wall_s: the time, in seconds since 1970.
        shows_numbers: whether the numbers of phones are written in full.

    Raises:
        UsageError: the file cannot be written, or a part of the installation is missing.
    """
    check_page(path)
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 -- an extra, and only needed here

    pages = Environment(
        loader=PackageLoader("bulksend.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = digest_of(run, wall_s, Numbers(are_shown=shows_numbers))
    with replacing(path) as file:
        file.write(pages.get_template("page.html").render(run=digest))
