from typing import Any

import pytest

from rookery.release import (
    CredentialsError,
    ReleaseError,
    StorageError,
    UnavailableError,
    same_content,
)
from rookery.release._images import client_error


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
            "Is the docker daemon running?",
            UnavailableError,
            "start the Docker engine",
        ),
        (
            "no basic auth credentials",
            CredentialsError,
            "log in with `docker login`",
        ),
        (
            "unauthorized: authentication required",
            CredentialsError,
            "log in with `docker login`",
        ),
        (
            "denied: requested access to the resource is denied",
            CredentialsError,
            "log in with `docker login`",
        ),
        (
            'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection '
            "refused",
            UnavailableError,
            "is the registry running?",
        ),
        (
            "dial tcp: lookup registry.example: no such host",
            UnavailableError,
            "is the registry running?",
        ),
        (
            "The push refers to repository [r/x]\nwrite /blob: no space left on device",
            StorageError,
            "make room and run this again",
        ),
        ("manifest invalid", ReleaseError, "manifest invalid"),
        ("", ReleaseError, "no reason given"),
    ],
)
def test_what_the_client_says_is_told_by_whose_fault_it_is(
    said: str, kind: type[ReleaseError], hint: str
) -> None:
    error = client_error("push r/x:1", said)
    assert type(error) is kind
    assert str(error).startswith("docker push r/x:1: ")
    assert str(error).endswith(hint)
    assert "\n" not in str(error)


def image(**others: Any) -> dict[str, Any]:
    return {
        "Id": "sha256:1",
        "Created": "2026-11-21T15:00:00Z",
        "Os": "linux",
        "Architecture": "amd64",
        "RootFS": {"Type": "layers", "Layers": ["sha256:2"]},
        "Config": {"User": "10001", "Labels": None, "Image": "sha256:3"},
    } | others


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (image(Id="sha256:9", Created="2027-01-01T00:00:00Z"), True),
        (image(Config={"User": "10001", "Labels": None, "Image": ""}), True),
        (image(Config={"User": "0", "Labels": None}), False),
        (image(RootFS={"Type": "layers", "Layers": ["sha256:4"]}), False),
        (image(Architecture="arm64"), False),
    ],
)
def test_images_are_the_same_but_for_the_time(
    other: dict[str, Any], same: bool
) -> None:
    assert same_content(image(), other) is same
