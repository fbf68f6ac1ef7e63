"""A folder's face names what others may use of it, and loads it when it is asked for."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from conftest import ROOT

FACES = sorted(path.parent.relative_to(ROOT) for path in (ROOT / "bulksend").rglob("__init__.pyi"))


@pytest.mark.parametrize("folder", FACES, ids=str)
def test_every_name_of_a_face_is_there(folder: Path) -> None:
    face = importlib.import_module(".".join(folder.parts))
    assert face.__all__
    for name in face.__all__:
        assert getattr(face, name) is not None
