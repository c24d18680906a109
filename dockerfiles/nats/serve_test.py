from __future__ import annotations

from pathlib import Path

import pytest
from dockerfiles.nats.serve import Stop, configuration, read_token, version

TOKEN = "0123456789abcdef"  # nosec B105


def secret(folder: Path, text: str) -> str:
    (folder / "rookery_bus_token").write_text(text)
    return str(folder)


def test_a_token_is_read_without_the_end_of_its_line(tmp_path: Path) -> None:
    assert read_token(secret(tmp_path, f"{TOKEN}\n")) == TOKEN


def test_a_missing_token_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="is missing") as stop:
        read_token(str(tmp_path))
    assert stop.value.exit_code == 78


@pytest.mark.parametrize(
    "text", ["", "short", 'abcdefghijklmnop"q', "two words of a token", "a" * 513]
)
def test_a_token_that_the_configuration_could_misread_is_refused(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(Stop, match="holds no token") as stop:
        read_token(secret(tmp_path, text))
    assert stop.value.exit_code == 78
    assert not text or text not in stop.value.text


def test_one_server_is_no_cluster() -> None:
    text = configuration("base", {}, "box", TOKEN)
    assert 'server_name: "box"' in text
    assert f'token: "{TOKEN}"' in text
    assert "cluster" not in text


def test_routes_make_a_cluster_whose_servers_use_the_token() -> None:
    environment = {
        "ROOKERY_NATS_ROUTES": "nats-1, nats://nats-2:7000/,[::1]:6222",
        "ROOKERY_NATS_NAME": "first",
    }
    text = configuration("base", environment, "box", "a+b/c=0123456789")
    assert 'server_name: "first"' in text
    for address in ("nats-1:6222", "nats-2:7000", "[::1]:6222"):
        assert f'"nats://rookery:a%2Bb%2Fc%3D0123456789@{address}"' in text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ROOKERY_NATS_ROUTES", "nats-1;nats-2"),
        ("ROOKERY_NATS_ROUTES", 'nats-1"'),
        ("ROOKERY_NATS_NAME", "two words"),
        ("ROOKERY_NATS_CLUSTER", 'a"b'),
    ],
)
def test_what_would_break_the_configuration_is_refused(
    variable: str, value: str
) -> None:
    with pytest.raises(Stop, match=variable) as stop:
        configuration("base", {variable: value}, "box", TOKEN)
    assert stop.value.exit_code == 78


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "nats 0+source"),
        (
            {"ROOKERY_VERSION": "", "ROOKERY_COMMIT": "", "ROOKERY_BUILT": ""},
            "nats 0+source",
        ),
        (
            {
                "ROOKERY_VERSION": "1.2.3",
                "ROOKERY_COMMIT": "0123456789abcdef",
                "ROOKERY_BUILT": "2026-11-21T15:00:00Z",
            },
            "nats 1.2.3 (commit 0123456789ab, built 2026-11-21T15:00:00Z)",
        ),
    ],
)
def test_the_version_is_said_as_other_components_say_it(
    environment: dict[str, str], said: str
) -> None:
    assert version(environment) == said
