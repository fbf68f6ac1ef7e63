"""What the page is made of: what others made is as they made it, and every word is in the catalogue."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from string import Formatter

from conftest import ROOT

from bulksend.campaign import Slowest
from bulksend.errors import Advice
from bulksend.model import Reached, Status
from bulksend.runs import Standing
from bulksend.web.pages.sending import HEADINGS
from bulksend.web.wording import LANGUAGES

WEB = ROOT / "bulksend" / "web"
STATIC = WEB / "static"
OWN = {"app.css", "app.js", "icon.svg", "calendar.svg", "check.svg", "chevron.svg", "VENDORED.toml"}


def test_what_others_made_is_as_they_made_it() -> None:
    files = tomllib.loads((STATIC / "VENDORED.toml").read_text(encoding="utf-8"))["file"]
    for each in files:
        assert hashlib.sha256((STATIC / each["name"]).read_bytes()).hexdigest() == each["sha256"], each["name"]
        assert (STATIC / each["licence_file"]).read_text(encoding="utf-8").strip()
        assert each["version"] in (STATIC / each["name"]).read_text(encoding="utf-8")
    named = {each[name] for each in files for name in ("name", "licence_file")}
    assert {path.name for path in STATIC.iterdir()} == named | OWN


def test_every_word_is_in_the_catalogue_and_used() -> None:
    known = set(tomllib.loads((WEB / "words" / "en.toml").read_text(encoding="utf-8")))
    files = [path for folder in ("templates", "pages", ".") for path in sorted((WEB / folder).glob("*.*"))]
    texts = [path.read_text(encoding="utf-8") for path in files]
    used = {key for text in texts for key in re.findall(r'say\("([a-z_.]+)"[,)]', text)}
    made = {f"state.{each.name.lower()}" for each in Standing} | {f"status.{each.value}" for each in Status}
    made |= {f"many.{noun}" for text in texts for noun in re.findall(r'many\((?:[a-z.]+, )?"([a-z]+)"\)', text)}
    going_on = (*HEADINGS, "slowed", "elsewhere", "workers")
    made |= {f"sending.{says}" for says in going_on}
    made |= {f"heading.{says}" for says in ("sending", *HEADINGS)}
    made |= {f"steps.{step}" for step in ("sheet", "text", "who", "price", "sending")}
    made |= {f"who.{each}" for each in ("pending", "skipped", "invalid")} | {"status.in_flight"}
    made |= {f"find.receipt_{each.value}" for each in Reached}
    made |= {f"price.takes_{each.value}" for each in Slowest}
    made |= {f"advice.{each.value}" for each in Advice} & known  # some of them are nothing that the page can do
    assert used | made == known


def test_every_language_has_every_sentence_and_fills_in_the_same() -> None:
    english = _sentences("en")
    for path in sorted((WEB / "words").glob("*.toml")):
        assert path.stem in LANGUAGES
        other = _sentences(path.stem)
        assert set(other) == set(english), path.name
        for key, sentence in other.items():
            assert _fields(sentence) == _fields(english[key]), f"{path.name}: {key}"
            assert sentence.strip() == sentence != ""
            assert sentence.count("|") == key.startswith("many."), f"{path.name}: {key}"


def _sentences(language: str) -> dict[str, str]:
    return tomllib.loads((WEB / "words" / f"{language}.toml").read_text(encoding="utf-8"))


def _fields(sentence: str) -> set[str | None]:
    return {field for _, field, _, _ in Formatter().parse(sentence)} - {None}


def test_no_style_or_script_stands_in_a_template() -> None:
    for path in sorted((WEB / "templates").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|hx-vals='js|\|\s*safe", text), path.name
        assert text.count("<script") == text.count("<script src="), path.name


def test_a_face_never_imports_the_command_line() -> None:
    for path in sorted(Path(WEB).rglob("*.py")):
        assert "bulksend.cli" not in path.read_text(encoding="utf-8"), path.name
