"""Real servers on loopback, and what is published to them."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess  # nosec B404
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rookery.release import Package, Settings
from rookery.release._plan import Entry, Plan
from rookery.service.testing import Child, eventually, require, start_module

USER = "release"
SECRET = "s3cret"  # nosec B105
# The same, as Debian's registry wants it: bcrypt, five rounds.
BCRYPT = "$2y$05$dXc.bp3NHDJ4kzX2RzyWcu7zk4b.mh1aC5RQkqELdfWxlDT7CZJhu"


def wheel(
    folder: Path,
    name: str,
    version: str,
    requires: Sequence[str] = (),
    content: str = "",
) -> Path:
    """Writes a wheel that twine and an index accept."""
    stem = f"{name.replace('-', '_')}-{version}"
    pins = "".join(f"Requires-Dist: {pin}\n" for pin in requires)
    files = {
        f"{name.replace('-', '_')}.py": content,
        f"{stem}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{pins}"
        ),
        f"{stem}.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
            "Tag: py3-none-any\n"
        ),
    }
    record = "".join(f"{file},,\n" for file in files)
    files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), text)
    return path


def library(name: str, *requires: str) -> Package:
    """Describes a package that is a wheel."""
    return Package(
        name, "wheel", f"lib/{name}:dist", frozenset(), frozenset(), requires
    )


def plan_of(*entries: tuple[Package, str]) -> Plan:
    """Makes a plan that publishes everything."""
    return Plan(
        "a" * 40,
        "2026-11-21T15:00:00Z",
        tuple(
            Entry(package, version, "publish", "tagged") for package, version in entries
        ),
    )


class PackageIndex:
    """A running pypiserver, with a password for uploads.

    Args:
        folder: Where it keeps its files.
        port: Where it listens.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.packages = folder / "packages"
        self.packages.mkdir(parents=True, exist_ok=True)
        digest = base64.b64encode(hashlib.sha1(SECRET.encode()).digest())  # nosec B324
        (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{digest.decode()}\n", "utf-8")

    @property
    def url(self) -> str:
        """Where wheels are uploaded to."""
        return f"http://127.0.0.1:{self.port}/"

    def settings(self, password: str = SECRET, **others: str) -> Settings:
        """Returns the settings of a release that goes there."""
        return Settings(
            index=self.url,
            simple=f"{self.url}simple/",
            user=USER,
            password=password,
            **others,
        )

    @contextmanager
    def running(self) -> Iterator[Child]:
        """Runs it, until the end of the block."""
        arguments = ["run", "-i", "127.0.0.1", "-p", str(self.port)]
        arguments += ["-P", str(self.folder / "htpasswd"), "-a", "update"]
        arguments += ["--disable-fallback", str(self.packages)]
        with start_module("pypiserver", *arguments) as child:
            eventually(lambda: _answers(f"{self.url}simple/"), timeout=30.0)
            yield child


class Registry:
    """A running Docker registry of Debian's package.

    Args:
        folder: Where it keeps its files.
        port: Where it listens.
        password: Whether it asks for one.
    """

    def __init__(self, folder: Path, port: int, *, password: bool = False) -> None:
        self.port = port
        self.prefix = f"127.0.0.1:{port}/rookery"
        self.config = folder / "registry.yml"
        settings: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
            "http": {"addr": f"127.0.0.1:{port}"},
        }
        if password:
            (folder / "users").write_text(f"{USER}:{BCRYPT}\n", "utf-8")
            settings["auth"] = {
                "htpasswd": {"realm": "test", "path": str(folder / "users")}
            }
        # JSON is YAML.
        self.config.write_text(json.dumps(settings), "utf-8")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs it, until the end of the block."""
        process = subprocess.Popen(  # nosec B603
            [str(docker_registry()), "serve", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: _answers(f"http://127.0.0.1:{self.port}/v2/"))
            yield
        finally:
            process.kill()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code in (200, 401)
    except httpx.HTTPError:
        return False


def docker_registry() -> Path:
    """Returns the registry of Debian's package, or skips the test."""
    found = shutil.which("docker-registry") or shutil.which("registry")
    if found is None:
        reason = (
            "no docker-registry on PATH; on Debian: apt-get install docker-registry"
        )
        if "docker-registry" in os.environ.get("ROOKERY_REQUIRE", "").split(","):
            pytest.fail(f"docker-registry is required: {reason}", pytrace=False)
        pytest.skip(f"docker-registry: {reason}")
    return Path(found)


class Images:
    """Tiny images in the local engine, which are removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.client = str(require("docker"))
        self.folder = folder
        self.made: list[str] = []

    def make(self, reference: str, labels: Mapping[str, str], content: str) -> str:
        """Makes an image of one file; the same file and labels differ in time only."""
        archive = self.folder / "image.tar"
        with tarfile.open(archive, "w") as tar:
            data = content.encode()
            info = tarfile.TarInfo("content")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        changes = [
            word
            for name, value in labels.items()
            for word in ("--change", f"LABEL {name}={value}")
        ]
        identity = self.run("import", *changes, str(archive), reference)
        # By its id, too: the next one of the same name takes the name away.
        self.made += [reference, identity]
        return identity

    def run(self, *words: str) -> str:
        """Runs the client."""
        return subprocess.check_output(  # nosec B603
            [self.client, *words], text=True, stderr=subprocess.STDOUT
        ).strip()

    def close(self) -> None:
        """Removes what was made, and the names it was pushed under."""
        command = [self.client, "image", "rm", "--force", *self.made]
        if self.made:
            subprocess.run(command, check=False, capture_output=True)  # nosec B603
