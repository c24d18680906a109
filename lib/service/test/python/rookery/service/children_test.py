from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rookery.service import child_environment

BEGAN_IN = os.getcwd()


def test_a_child_finds_the_modules_of_a_process_that_went_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", ["", "below/here", "/elsewhere", "../up"])
    monkeypatch.chdir(tmp_path)
    assert child_environment()["PYTHONPATH"].split(os.pathsep) == [
        os.path.join(BEGAN_IN, "below/here"),
        "/elsewhere",
        os.path.join(os.path.dirname(BEGAN_IN), "up"),
    ]
