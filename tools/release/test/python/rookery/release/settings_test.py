from pathlib import Path

import pytest

from rookery.release import Settings, SettingsError

INDEX = "https://packages.example/upload"


def test_nothing_is_set_by_default() -> None:
    assert Settings.load({}) == Settings()


def test_the_page_that_pip_reads_lies_below_the_index() -> None:
    settings = Settings.load({"ROOKERY_RELEASE_INDEX": INDEX})
    assert settings.index == f"{INDEX}/"
    assert settings.simple == f"{INDEX}/simple/"
    other = "https://packages.example/simple"
    settings = Settings.load(
        {"ROOKERY_RELEASE_INDEX": INDEX, "ROOKERY_RELEASE_SIMPLE": other}
    )
    assert settings.simple == f"{other}/"


def test_secrets_come_from_the_environment_or_from_files(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n", "utf-8")
    settings = Settings.load(
        {
            "ROOKERY_RELEASE_USER": "release",
            "ROOKERY_RELEASE_PASSWORD_FILE": str(file),
        }
    )
    assert (settings.user, settings.password) == ("release", "from a file")
    assert "from a file" not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"ROOKERY_RELEASE_INDEX": "packages.example"},
            "ROOKERY_RELEASE_INDEX is no URL: 'packages.example'",
        ),
        ({"ROOKERY_RELEASE_INDEX": "http://[::"}, "ROOKERY_RELEASE_INDEX is no URL"),
        ({"ROOKERY_RELEASE_SIMPLE": "ftp://x"}, "ROOKERY_RELEASE_SIMPLE is no URL"),
        (
            {"ROOKERY_RELEASE_INDEX": "https://me:hidden@packages.example/"},
            "ROOKERY_RELEASE_INDEX holds credentials",
        ),
        (
            {"ROOKERY_RELEASE_USER_FILE": "/nowhere/user"},
            "ROOKERY_RELEASE_USER_FILE: /nowhere/user: No such file",
        ),
        (
            {"ROOKERY_RELEASE_REGISTRY": "https://registry.example/rookery"},
            "ROOKERY_RELEASE_REGISTRY is no host and prefix",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    variables: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(variables)
    assert says in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert caught.value.exit_code == 78


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="ROOKERY_RELEASE_INDEX is not set"):
        Settings().require_index()
    with pytest.raises(SettingsError, match="ROOKERY_RELEASE_REGISTRY is not set"):
        Settings().require_registry()
