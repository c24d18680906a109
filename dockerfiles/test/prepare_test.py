import re
import shutil
import subprocess  # nosec B404
from pathlib import Path

import pytest

from rookery.streaming import sample_rules

FOLDER = Path(__file__).parent.parent
TOKENS = ("rookery_token", "rookery_bus_token")


@pytest.fixture
def prepare(tmp_path: Path) -> Path:
    """The script in a folder of its own: it writes beside itself."""
    for name in ("prepare", "compose.env"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path / "prepare"


def _run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(script), *arguments]
    return subprocess.run(  # nosec B603
        command, capture_output=True, text=True, timeout=30, check=False
    )


def _tokens(script: Path) -> dict[str, str]:
    return {name: (script.parent / "secrets" / name).read_text() for name in TOKENS}


def test_tokens_are_made_once_for_containers_and_for_nobody_else(prepare: Path) -> None:
    done = _run(prepare)
    assert (done.returncode, done.stdout) == (0, "")
    secrets = prepare.parent / "secrets"
    tokens = _tokens(prepare)
    assert len(set(tokens.values())) == 2
    assert all(re.fullmatch(r"[0-9a-f]{48}\n", token) for token in tokens.values())
    # User 10001 reads the file that is bound into its container.
    assert [secrets.stat().st_mode & 0o777] == [0o700]
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o644}
    again = _run(prepare)
    assert (again.returncode, again.stderr) == (0, "")
    assert _tokens(prepare) == tokens


def test_a_new_token_takes_the_place_of_one_in_the_same_file(prepare: Path) -> None:
    _run(prepare)
    before = _tokens(prepare)
    file = prepare.parent / "secrets/rookery_token"
    inode = file.stat().st_ino
    assert _run(prepare, "--rotate", "rookery_token").returncode == 0
    after = _tokens(prepare)
    assert after["rookery_token"] != before["rookery_token"]
    assert after["rookery_bus_token"] == before["rookery_bus_token"]
    # A container is bound to the file itself, whatever its name leads to later.
    assert file.stat().st_ino == inode


def test_settings_that_are_there_stay(prepare: Path) -> None:
    _run(prepare)
    settings = prepare.with_name(".env")
    assert settings.read_text() == prepare.with_name("compose.env").read_text()
    settings.write_text("ROOKERY_PORT=9000\n")
    _run(prepare)
    assert settings.read_text() == "ROOKERY_PORT=9000\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rotate", "other"), "there is no token 'other'"),
        (("--rotate",), "./prepare --rotate NAME"),
        (("--nonsense",), "./prepare --rotate NAME"),
    ],
)
def test_what_is_not_understood_is_wrong_usage(
    arguments: tuple[str, ...], message: str, prepare: Path
) -> None:
    done = _run(prepare, *arguments)
    assert done.returncode == 64
    assert message in done.stderr
    assert not prepare.with_name("secrets").exists()


def test_the_rules_to_begin_with_are_those_for_the_made_up_stream() -> None:
    assert (FOLDER / "rules/sample.txt").read_text("utf-8") == sample_rules()


def test_every_setting_of_the_compose_files_is_described_and_every_other_is_not() -> (
    None
):
    used = {
        name: default
        for file in ("compose.yaml", "compose.cluster.yaml")
        for name, default in re.findall(
            r"\$\{(\w+):-([^}]*)\}", (FOLDER / file).read_text("utf-8")
        )
    }
    described: dict[str, str] = {}
    for name, value in re.findall(
        r"^#?(ROOKERY_\w+)=(.*)$", (FOLDER / "compose.env").read_text("utf-8"), re.M
    ):
        described.setdefault(name, value)
    assert described == used
