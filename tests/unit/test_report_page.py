"""A run's page: what it says of runs of every kind, and that nothing in it does anything."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from planned import PlannedRow, write_plan
from runfiles import ANSWER, bad, begin, crowd_of, facts, notes_of, number, own, pending

from bulksend.errors import UsageError
from bulksend.model import ContactId, Event, Outcome, PhoneNumber, Status
from bulksend.reports.charts import charts, width_for
from bulksend.reports.page import check_page, write_page
from bulksend.reports.wording import Numbers, share
from bulksend.runs import Slice, Stretch
from bulksend.runs.sqlite import SqliteRun

START_S = 1_790_000_000.0
_VOID = {"meta"}


class Page(HTMLParser):
    """A page as a browser takes it in: its elements, which must be closed in order, and its words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self._words: list[str] = []
        self.feed(self.source)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        return " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self._words.append("" if tag in {"b", "bdi"} else " ")

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self._words.append(data)


def page_of(path: Path, *, shows_numbers: bool = False) -> Page:
    written = path.with_suffix(".html")
    with SqliteRun.open(path) as run:
        write_page(run, written, START_S + 86_400, shows_numbers=shows_numbers)
    return Page(written)


def tried(path: Path, events: Sequence[Event], step_s: float = 1.0, says: str = "no 639171234567 here") -> Path:
    """Send the rows one after another, each with an outcome."""
    with own(path, START_S) as run:
        notes = notes_of(run)
        for row, event in enumerate(events, 1):
            at_s = START_S + row * step_s
            begin(notes, [row], at_s)
            answer = ANSWER if event is Event.ACCEPTED else None
            http_status = None if event is Event.DOUBTED else 200 if answer else 400
            notes.settle(
                [Outcome(row, event, True, at_s + 0.1, http_status, answer, "" if answer else says)],
                turn=0,
            )
    return path


def test_a_run_that_was_sent(tmp_path: Path) -> None:
    page = page_of(tried(crowd_of(tmp_path / "a.run", 40), [Event.ACCEPTED] * 38 + [Event.REJECTED] * 2))
    assert "38 of 40 rows were accepted for sending on" in page.text
    assert "for $1.52; 2 were not sent." in page.text
    assert "Charged $1.52 by the API's words, estimated $0.76" in page.text
    assert "SMS accepted a minute" in page.text
    assert page.tags.count("svg") == 2
    assert "+63 (PH) 38 38 $0.76 $1.52" in page.text
    assert "1 part in GSM-7 40 38" in page.text
    assert "In doubt 0 of every row it is known" in page.text


def test_a_plan_says_what_it_will_cost_and_draws_nothing(tmp_path: Path) -> None:
    page = page_of(crowd_of(tmp_path / "a.run", 3))
    assert "Nothing of this has been sent yet: 3 messages are planned, for $0.06 as estimated." in page.text
    assert "svg" not in page.tags
    assert "Charged" not in page.text
    assert "What was not sent" not in page.text


def test_where_nothing_can_be_sent_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    write_plan(path, [bad(1), bad(2, "left out", Status.SKIPPED)], facts()).release()
    assert "Nothing was sent: none of 2 rows is to be." in page_of(path).text


def test_where_all_was_tried_in_vain_that_is_said(tmp_path: Path) -> None:
    page = page_of(tried(crowd_of(tmp_path / "a.run", 2), [Event.REJECTED] * 2))
    assert "0 of 2 rows were accepted" in page.text
    assert "Charged $0.00 nothing was sent" in page.text


def test_rows_in_doubt_are_neither_sent_nor_not_sent(tmp_path: Path) -> None:
    page = page_of(tried(crowd_of(tmp_path / "a.run", 6), [Event.ACCEPTED, Event.DOUBTED, Event.DOUBTED]))
    assert "2 messages may or may not have been accepted. They count neither as sent nor as not sent." in page.text
    assert "In doubt 2" in page.text
    assert "Not sent 3 3 not sent yet" in page.text
    assert "It has not come to its end: 3 rows can still be sent." in page.text


def test_a_rehearsal_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    write_plan(path, [pending(1)], replace(facts(), base_url="")).release()
    page = page_of(tried(path, [Event.ACCEPTED]))
    assert "This was a rehearsal: nothing reached a phone, and nothing was paid." in page.text
    assert "by the sandbox's words" in page.text
    assert "for $" not in page.text.partition("Sent 1")[0]


def test_a_run_at_work_is_told_as_that(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "a.run", 3)
    with own(path, START_S) as run:
        begin(notes_of(run), [1], START_S)
        page = page_of(path)
    assert "It was being sent while this page was written" in page.text
    assert "Under way 1" in page.text


def test_what_a_cap_holds_back_is_told_phone_by_phone(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    rows = [pending(row, number(1) if row < 8 else number(row)) for row in range(1, 10)]
    write_plan(path, rows, facts()).release()
    assert "1 phone with more than 5 SMS" in page_of(path).text
    assert "2 SMS parts beyond these will have to wait" in page_of(path).text
    page = page_of(tried(path, [Event.ACCEPTED] * 9))
    assert "2 SMS parts beyond these had to wait" in page.text
    assert "63•••••••001 7 7 7 6.1 s" in page.text


# ---- numbers ----


def test_numbers_are_hidden_unless_they_are_wanted(tmp_path: Path) -> None:
    path = tried(crowd_of(tmp_path / "a.run", 3), [Event.REJECTED] * 3)
    hidden, shown = page_of(path), page_of(path, shows_numbers=True)
    assert "no 63•••••••567 here" in hidden.text
    assert "row 1, 63•••••••001" in hidden.text
    assert re.search(r"63917\d{4}", hidden.source) is None
    assert "Most digits of phone numbers are left out" in hidden.text
    assert "no 639171234567 here" in shown.text
    assert f"row 1, {number(1)}" in shown.text
    assert "Most digits" not in shown.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to 0917 123 4567.", "to 09••••••567."),
        ("+63 (917) 123-4567", "63•••••••567"),
        ("sent on 2026-11-26 10:02, row 123456", "sent on 2026-11-26 10:02, row 123456"),
        ("2026-11-26 639171234567", "2026-11-26 63•••••••567"),
        ("from 21:00 to 07:00 (NTC MC 03-03-2005)", "from 21:00 to 07:00 (NTC MC 03-03-2005)"),
        ("MC 09-17-123-4567", "MC 09••••••567"),
        ("code 402", "code 402"),
        ("\u202e=1\x00", "=1"),
    ],
)
def test_numbers_in_texts_are_hidden_and_days_are_not(text: str, shown: str) -> None:
    assert Numbers(are_shown=False).within(text) == shown


def test_a_contact_is_no_number() -> None:
    assert Numbers(are_shown=False).of(ContactId(1234567)) == "contact 1234567"
    assert Numbers(are_shown=False).of(PhoneNumber("63123")) == "63•••"


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 0, "0 %"), (5, 5, "100 %"), (1, 8, "12.5 %"), (1, 10_000, "under 0.1 %"), (9_999, 10_000, "over 99.9 %")],
)
def test_a_share_that_is_not_all_never_reads_as_all(part: int, whole: int, told: str) -> None:
    assert share(part, whole).replace("\u00a0", " ") == told


# ---- nothing in it does anything ----

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><script src=//evil.example></script>",
    "{{ 7 * 7 }}{% for x in y %}",
    "\u202ekcab\u202c &lt;b&gt; &amp;",
    "x" * 10_000,
)
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "p", "h1", "h2", "h3", "bdi", "dl",
    "div", "dt", "dd", "section", "figure", "figcaption", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "i",
    "b", "small", "ul", "li", "svg", "g", "path", "line", "defs", "clippath", "rect", "text", "tspan",
}  # fmt: skip


def write_hostile(path: Path, text: str) -> None:
    hostile = replace(
        facts(), input_name=f"{text}.csv", sender=text, template=text, base_url=f"https://{text}", columns=(text,)
    )
    rows: list[PlannedRow] = [*(pending(row, number(row)) for row in range(1, 30)), bad(30, text), bad(31, text)]
    write_plan(path, rows, hostile).release()
    tried(path, [Event.ACCEPTED] * 20 + [Event.REJECTED] * 5 + [Event.DOUBTED] * 2, says=text)


@settings(max_examples=examples(50))
@given(st.text(max_size=40))
@example("".join(HOSTILE))
def test_foreign_texts_are_only_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("run") / "a.run"
    write_hostile(path, text)
    page = page_of(path)
    assert set(page.tags) <= ALLOWED
    assert {name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href"}} == set()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stand_there_as_they_are_on_one_line_and_cut(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.run"
    write_hostile(path, text)
    page = page_of(path)
    assert set(page.tags) <= ALLOWED
    assert "\u202e" not in page.source
    assert len(page.source) < 150_000
    if len(text) < 100 and text.isprintable():
        assert page.text.count(text) >= 4
    else:
        assert "x" * 2_000 not in page.source


def test_a_page_asks_for_nothing_and_runs_nothing(tmp_path: Path) -> None:
    page = page_of(tried(crowd_of(tmp_path / "a.run", 40), [Event.ACCEPTED] * 40))
    assert set(page.tags) <= ALLOWED
    assert re.findall(r"(?:src|href|url|@import)\s*[=(]", re.sub(r"url\(#\w+\)", "", page.source)) == []
    assert "default-src 'none'" in page.source
    assert {value for name, value in page.attributes if name in {"data-fill", "data-stroke"}} <= {
        "line", "band", "grid", "pause",
    }  # fmt: skip
    styled = re.findall(r"\[data-(?:fill|stroke)=\"(\w+)\"\]", page.source)
    assert set(styled) == {"line", "band", "grid", "pause"}
    assert "rgb(1,1,1)" not in page.source


# ---- pictures ----


def drawn(*lasting_s: float, pause_s: float = 7_200.0) -> list[str]:
    stretches, at_s = [], START_S
    for each in lasting_s:
        stretches.append(Stretch(at_s, at_s + each, 1))
        at_s += each + pause_s
    width_s = width_for(stretches)
    slices = [
        Slice(place * width_s, 5, 0.1, None if place % 3 else 0.4)
        for each in stretches
        for place in range(int(each.since_s // width_s), int(each.until_s // width_s) + 1)
        if place % 2
    ]
    return [chart.svg for chart in charts(stretches, slices, width_s)]


@pytest.mark.parametrize("lasting_s", [30.0, 95.3, 3_600.0, 86_400.0 * 3, 86_400.0 * 200])
def test_a_picture_has_few_steps_and_some_times_whatever_the_run(
    lasting_s: float, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = drawn(lasting_s)
    assert len(first) < 60_000
    assert 1 <= len(re.findall(r"axis-text-x", first)) <= 5
    assert "stroke-dasharray" not in first + second
    assert capfd.readouterr().out == ""


def test_pauses_are_cut_short_and_marked() -> None:
    first, _ = drawn(600, 600, 600)
    assert len(re.findall(r'data-stroke="pause"', first)) == 2
    assert len(re.findall(r'data-stroke="line"', first)) == 3


def test_a_stretch_of_no_length_is_no_step() -> None:
    first, _ = drawn(600, 0.0, 600)
    assert len(re.findall(r'data-stroke="line"', first)) == 2


def test_many_pauses_leave_room_for_what_was_sent() -> None:
    first, _ = drawn(*[60.0] * 200)
    assert "pause" not in first
    assert len(first) < 200_000


def test_what_was_sent_in_a_slice_of_two_stretches_is_told_a_minute_of_both() -> None:
    width_s = 3_600.0
    begin_s = START_S // width_s * width_s
    stretches = [
        Stretch(begin_s, begin_s + 3_600 * 4 + 1_300, 0),
        Stretch(begin_s + 3_600 * 4 + 2_300, begin_s + 3_600 * 8, 0),
    ]
    slices = [Slice(begin_s + place * width_s, 6_000 if place != 4 else 4_333, None, None) for place in range(8)]
    (chart,) = charts(stretches, slices, width_s)
    assert chart.says == "100 at most, in a slice of 60 min."


@pytest.mark.parametrize(
    ("sent", "width_s", "title", "says"),
    [
        (250, 1.0, "SMS accepted a second", "250 at most, in a slice of 1 s."),
        (3, 1.0, "SMS accepted a minute", "180 at most, in a slice of 1 s."),
        (60_000, 60.0, "SMS accepted a minute", "60,000 at most, in a slice of 1 min."),
    ],
)
def test_a_quick_and_short_run_is_told_a_second(sent: int, width_s: float, title: str, says: str) -> None:
    begin_s = START_S // width_s * width_s
    slices = [Slice(begin_s + place * width_s, sent, None, None) for place in range(8)]
    (chart,) = charts([Stretch(begin_s, begin_s + 8 * width_s, 0)], slices, width_s)
    assert (chart.title, chart.says) == (title, says)


def test_a_run_of_a_moment_has_no_picture() -> None:
    assert drawn(2.0) == []


# ---- the file ----


@pytest.mark.parametrize(("name", "says"), [("a.csv", "written as .html"), ("page", "written as .html")])
def test_another_ending_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_page(tmp_path / name)


def test_an_input_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "list.html").write_text("input")
    with pytest.raises(UsageError, match="this is the input or the run file itself"):
        check_page(tmp_path / "list.html", tmp_path / "list.html")
    assert (tmp_path / "list.html").read_text() == "input"


@pytest.mark.parametrize("missing", ["lets_plot", "jinja2"])
def test_without_the_extra_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        UsageError, match=r"lets-plot and Jinja2 are needed: in bulksend's folder, pip install '\.\[report\]'"
    ):
        check_page(tmp_path / "a.html")


def test_a_page_is_private(tmp_path: Path) -> None:
    page_of(crowd_of(tmp_path / "a.run", 1))
    assert (tmp_path / "a.html").stat().st_mode & 0o777 == 0o600
