"""Images from the step that builds them to the step that tests them.

An image is named by its id as well as by its tag, so that no test ever runs against an
image of another build. Where both steps have the same engine, nothing is copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rookery.ci._errors import CiError, Unavailable
from rookery.ci._machine import docker, docker_client

# Set where every job has the same engine: the images need not travel as an artifact.
ONE_ENGINE = "ROOKERY_ONE_ENGINE"

_LIST = "images.txt"
_ARCHIVE = "images.tar"
_BASE = "base"
_HOW = "build them with `./pants --tag=image package dockerfiles::`"


def image_tag(env: Mapping[str, str]) -> str:
    """Returns the tag that images are built with."""
    return env.get("ROOKERY_IMAGE_TAG") or "dev"


def built_images(client: Path, tag: str) -> dict[str, str]:
    """Returns the ids of the images in the engine, by component.

    Args:
        client: The container client.
        tag: Their tag.

    Returns:
        The ids, without that of the base image.
    """
    listed = docker(
        client,
        "image",
        "ls",
        "--no-trunc",
        f"--filter=reference=rookery/*:{tag}",
        "--format={{.Repository}} {{.ID}}",
    )
    pairs = (line.split() for line in listed.splitlines())
    found = {name.removeprefix("rookery/"): identity for name, identity in pairs}
    found.pop(_BASE, None)
    return dict(sorted(found.items()))


def save_images(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Writes the ids of the images into a folder, and the images where they travel.

    Args:
        folder: Where to.
        env: Names the tag, and says whether there is one engine.

    Returns:
        The ids by component.

    Raises:
        CiError: There is no image.
    """
    client = _client()
    tag = image_tag(env)
    found = built_images(client, tag)
    if not found:
        raise CiError(f"the engine has no image rookery/*:{tag}; {_HOW}")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}={identity}\n" for name, identity in found.items()]
    (folder / _LIST).write_text("".join(lines), "utf-8")
    archive = folder / _ARCHIVE
    archive.unlink(missing_ok=True)
    if not env.get(ONE_ENGINE):
        names = [f"rookery/{name}:{tag}" for name in found]
        docker(client, "save", "--output", str(archive), *names)
    return found


def load_images(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Sees to it that the engine has the images that were saved.

    Args:
        folder: Where they were saved to.
        env: Names the tag.

    Returns:
        The ids by component.

    Raises:
        CiError: The engine has other images, and they were not saved with the list.
    """
    client = _client()
    tag = image_tag(env)
    wanted = _read(folder / _LIST)
    if not _has(client, tag, wanted) and (folder / _ARCHIVE).exists():
        docker(client, "load", "--input", str(folder / _ARCHIVE))
    found = built_images(client, tag)
    for name, identity in wanted.items():
        if found.get(name) != identity:
            raise CiError(
                f"rookery/{name}:{tag} is {found.get(name, 'not in the engine')}, and "
                f"{folder / _LIST} says {identity}; {_HOW}"
            )
    return wanted


def _has(client: Path, tag: str, wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= built_images(client, tag).items()


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise CiError(f"{path} does not exist: no images were saved; {_HOW}") from None
    pairs = (line.partition("=") for line in lines if line)
    return {name: identity for name, _, identity in pairs}


def _client() -> Path:
    client = docker_client()
    if client is None:
        raise Unavailable("there is no docker client on PATH; install docker.io")
    return client
