import subprocess  # nosec B404
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.ci import CiError, load_images, save_images, why_no_images
from rookery.ci._machine import docker, docker_client
from rookery.service.testing import require

pytestmark = pytest.mark.integration


@pytest.fixture(name="client")
def find_client() -> Path:
    require("docker")
    client = docker_client()
    assert client is not None
    return client


@pytest.fixture(name="tag")
def make_images(client: Path, tmp_path: Path) -> Iterator[str]:
    """Two images of a few bytes and a base image, under a tag that nothing else has."""
    tag = f"test-{uuid.uuid4().hex[:12]}"
    names = [f"rookery/{name}:{tag}" for name in ("beta", "alpha", "base")]
    for name in names:
        make(client, name, tmp_path, tag)
    yield tag
    docker(client, "image", "rm", "--force", *names)


def make(client: Path, name: str, folder: Path, content: str) -> None:
    (folder / "file").write_text(f"{name} {content}")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY file /\n")
    command = [str(client), "build", "-q", "-t", name, str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # nosec B603


def test_ids_name_the_images_of_a_build_without_its_base(
    tag: str, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    env = {"ROOKERY_IMAGE_TAG": tag, "ROOKERY_ONE_ENGINE": "true"}
    saved = save_images(folder, env)
    assert list(saved) == ["alpha", "beta"]
    assert all(identity.startswith("sha256:") for identity in saved.values())
    lines = (folder / "images.txt").read_text("utf-8").splitlines()
    assert lines == [f"{name}={identity}" for name, identity in saved.items()]
    # There is one engine, so nothing has to travel.
    assert [path.name for path in folder.iterdir()] == ["images.txt"]
    assert load_images(folder, env) == saved


def test_another_engine_gets_the_very_same_images(
    client: Path, tag: str, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    env = {"ROOKERY_IMAGE_TAG": tag}
    saved = save_images(folder, env)
    docker(client, "image", "rm", f"rookery/alpha:{tag}", f"rookery/beta:{tag}")
    assert load_images(folder, env) == saved


def test_an_image_of_another_build_is_refused(
    client: Path, tag: str, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    env = {"ROOKERY_IMAGE_TAG": tag, "ROOKERY_ONE_ENGINE": "true"}
    save_images(folder, env)
    make(client, f"rookery/alpha:{tag}", tmp_path, "built again")
    with pytest.raises(CiError, match=rf"rookery/alpha:{tag} is sha256:.* says sha256"):
        load_images(folder, env)


def test_no_image_at_all_is_told_with_the_command_that_builds_them(
    client: Path, tmp_path: Path
) -> None:
    with pytest.raises(CiError, match="no image rookery/.*:never-built; build them"):
        save_images(tmp_path, {"ROOKERY_IMAGE_TAG": "never-built"})
    with pytest.raises(CiError, match=r"images.txt does not exist: no images were sav"):
        load_images(tmp_path, {})


def test_a_machine_without_a_client_says_so(tmp_path: Path) -> None:
    reason = why_no_images({}, path=str(tmp_path))
    assert reason == "no container engine: there is no docker client on PATH"


def test_an_engine_that_does_not_answer_is_told(tmp_path: Path) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho 'Cannot connect to the daemon' >&2\nexit 1\n")
    client.chmod(0o755)
    reason = why_no_images({}, path=str(tmp_path))
    assert reason is not None
    assert reason.startswith("no container engine answers: ")
    assert reason.endswith("Cannot connect to the daemon")


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("", "no base image: rookery/base:bookworm is not there, nor debootstrap"),
        ("public/python:3.11", None),
    ],
)
def test_an_engine_without_a_base_image_is_of_no_use(
    tmp_path: Path, base: str, reason: str | None
) -> None:
    client = tmp_path / "docker"
    client.write_text('#!/bin/sh\n[ "$1" = version ]\n')
    client.chmod(0o755)
    found = why_no_images({"BASE_IMAGE": base}, path=str(tmp_path))
    assert (found or "").startswith(reason or "")
    assert (found is None) is (reason is None)
