import sys
from pathlib import Path

import pytest

from rookery.service import lazy


@pytest.fixture(name="package")
def make_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "slow_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from rookery.service import lazy\n"
        '__getattr__ = lazy(__name__, {"_part": ("answer",)})\n'
    )
    (folder / "_part.py").write_text("answer = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("slow_package", "slow_package._part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "slow_package"


def test_a_module_is_loaded_when_its_name_is_used_and_then_kept(package: str) -> None:
    module = __import__(package)
    assert f"{package}._part" not in sys.modules
    answer = module.answer
    assert sys.modules[f"{package}._part"].answer is answer
    assert vars(module)["answer"] is answer


def test_a_name_that_is_not_there_is_named(package: str) -> None:
    with pytest.raises(AttributeError, match="'slow_package' has no attribute 'other'"):
        _ = __import__(package).other


def test_what_is_not_asked_for_is_not_looked_at() -> None:
    find = lazy("no_such_package", {"_part": ("answer",)})
    with pytest.raises(AttributeError, match="'no_such_package'"):
        find("other")
