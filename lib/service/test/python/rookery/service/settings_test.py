from pathlib import Path

import pytest
from pydantic import ValidationError

from rookery.service import Settings, SettingsInvalid, is_loopback, require_token


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROOKERY_{name.upper()}", raising=False)
    monkeypatch.setenv("ROOKERY_SECRETS", str(tmp_path / "none"))


def test_everything_has_a_value_that_works_on_one_machine() -> None:
    settings = Settings()
    assert (settings.bus, settings.dask, settings.host) == (
        "embedded:",
        "local:",
        "127.0.0.1",
    )
    assert settings.metrics_port is None
    assert settings.archive == "all"


def test_a_variable_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOKERY_BUS", "nats://127.0.0.1:4222")
    monkeypatch.setenv("ROOKERY_THREADS", "3")
    monkeypatch.setenv("ROOKERY_LOG_LEVEL", "DEBUG")
    settings = Settings()
    assert (settings.bus, settings.threads) == ("nats://127.0.0.1:4222", 3)
    assert settings.log_level == "debug"


def test_an_argument_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROOKERY_THREADS", "3")
    assert Settings(threads=2).threads == 2


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOKERY_LAKE", "")
    monkeypatch.setenv("ROOKERY_METRICS_PORT", "")
    assert Settings().lake is None
    assert Settings().metrics_port is None


def test_other_variables_with_the_prefix_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROOKERY_DATA", "/somewhere")
    assert Settings().threads == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOKERY_THREADS", "many"),
        ("ROOKERY_THREADS", "0"),
        ("ROOKERY_ARCHIVE", "some"),
        ("ROOKERY_LOG_FORMAT", "xml"),
        ("ROOKERY_METRICS_PORT", "65536"),
        ("ROOKERY_DRAIN_SECONDS", "-1"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=name) as caught:
        Settings()
    assert caught.value.exit_code == 78


def test_a_secret_may_be_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "rookery_token").write_text("from-a-file\n")
    monkeypatch.setenv("ROOKERY_SECRETS", str(tmp_path))
    token = Settings().token
    assert token is not None
    assert token.get_secret_value() == "from-a-file"
    monkeypatch.setenv("ROOKERY_TOKEN", "from-the-environment")
    assert Settings().secrets() == ("from-the-environment",)


def test_secrets_do_not_show_where_settings_are_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TOKEN", "BUS_TOKEN", "SENTRY_DSN"):
        monkeypatch.setenv(f"ROOKERY_{name}", "hush")
    settings = Settings()
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.secrets() == ("hush", "hush", "hush")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().threads = 4


def test_the_lake_stands_below_the_state_folder_unless_it_is_set(
    tmp_path: Path,
) -> None:
    state = tmp_path / "a b"
    assert Settings(state=state).lake_url == (state / "lake").as_uri()
    assert Settings(state=state, lake="s3://b/p").lake_url == "s3://b/p"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # nosec B104
        ("::", False),
        ("10.0.0.7", False),
        ("example.org", False),
    ],
)
def test_beyond_loopback_a_token_is_required(
    host: str, loopback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_loopback(host) is loopback
    if loopback:
        require_token(Settings(host=host))
    else:
        with pytest.raises(SettingsInvalid, match="ROOKERY_TOKEN"):
            require_token(Settings(host=host))
    monkeypatch.setenv("ROOKERY_TOKEN", "t")
    require_token(Settings(host=host))
