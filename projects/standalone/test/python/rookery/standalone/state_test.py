import fcntl
from pathlib import Path

import pytest

from rookery.standalone import StateUnusable
from rookery.standalone._state import erase, prepare_state


def test_the_state_folder_is_created_for_its_owner_only(tmp_path: Path) -> None:
    folder = prepare_state(tmp_path / "a" / "b")
    assert folder.is_absolute()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_to_is_a_wrong_configuration(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match="ROOKERY_STATE") as caught:
        prepare_state(tmp_path / name)
    assert caught.value.exit_code == 78
    assert str(tmp_path / name) in str(caught.value)


def _filled(state: Path) -> None:
    for name in ("bus", "lake", "mine"):
        (state / name / "deep").mkdir(parents=True)
        (state / name / "deep" / "file").write_text(name)


def test_only_what_the_platform_keeps_is_removed(tmp_path: Path) -> None:
    _filled(tmp_path)
    assert erase(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "mine"}
    assert (tmp_path / "mine" / "deep" / "file").read_text() == "mine"
    assert erase(tmp_path)


def test_nothing_is_removed_while_somebody_holds_the_folder(tmp_path: Path) -> None:
    _filled(tmp_path)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not erase(tmp_path)
    assert (tmp_path / "bus" / "deep" / "file").exists()


def test_what_a_link_points_to_is_not_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    _filled(elsewhere)
    state = tmp_path / "state"
    state.mkdir()
    (state / "lake").symlink_to(elsewhere / "lake")
    assert erase(state)
    assert not (state / "lake").exists()
    assert (elsewhere / "lake" / "deep" / "file").exists()
