"""Images: the local engine, and a registry, both through the Docker client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess  # nosec B404
from typing import Any

from rookery.release._errors import (
    CredentialsError,
    ReleaseError,
    StorageError,
    UnavailableError,
)
from rookery.release._settings import DOCKER

_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:\d+)?(/|$)")
# What the client says, and which error that is. The first that is found decides.
_SAID: tuple[tuple[re.Pattern[str], type[ReleaseError], str], ...] = (
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        StorageError,
        "make room and run this again",
    ),
    (
        re.compile(
            r"cannot connect to the docker daemon|daemon running", re.IGNORECASE
        ),
        UnavailableError,
        "start the Docker engine",
    ),
    (
        re.compile(
            r"unauthorized|denied|no basic auth|authentication required|forbidden",
            re.IGNORECASE,
        ),
        CredentialsError,
        "log in with `docker login`",
    ),
    (
        re.compile(
            r"connection refused|no such host|timeout|timed out|unreachable|\bEOF\b"
            r"|connection reset|received unexpected HTTP status: 5",
            re.IGNORECASE,
        ),
        UnavailableError,
        "is the registry running?",
    ),
)
_MISSING = re.compile(
    r"no such (manifest|image|object)|manifest unknown", re.IGNORECASE
)


class Docker:
    """The Docker client.

    Args:
        client: The program; the first `docker` on PATH if empty.
    """

    def __init__(self, client: str = "") -> None:
        self._client = client

    def image(self, reference: str) -> dict[str, Any] | None:
        """Returns what the engine knows about a local image.

        Args:
            reference: Its name and tag.

        Returns:
            What `docker image inspect` prints, or None if there is no such image.
        """
        text = self._run("image", "inspect", reference, missing=True)
        found: list[dict[str, Any]] = json.loads(text) if text else []
        return found[0] if found else None

    def published(self, reference: str) -> str | None:
        """Returns which image a registry holds.

        Args:
            reference: Registry, repository and tag.

        Returns:
            The id of the image, which the digest of its configuration is, or None if
            there is no such tag.
        """
        # The client asks the registry by itself, with the credentials that it keeps.
        insecure = ["--insecure"] if _LOOPBACK.match(reference) else []
        text = self._run(
            "manifest", "inspect", "--verbose", *insecure, reference, missing=True
        )
        if not text:
            return None
        manifest: Any = json.loads(text)
        if isinstance(manifest, list):
            # Several platforms under one tag: nothing that this repository pushes.
            return "an index of several images"
        for key in ("SchemaV2Manifest", "OCIManifest"):
            if key in manifest:
                return str(manifest[key]["config"]["digest"])
        return "an image of another format"

    def pull(self, reference: str) -> None:
        """Fetches an image.

        Args:
            reference: Registry, repository and tag.
        """
        self._run("pull", "--quiet", reference)

    def push(self, source: str, target: str) -> None:
        """Pushes a local image under another name.

        Args:
            source: The local image.
            target: Registry, repository and tag.
        """
        self._run("tag", source, target)
        self._run("push", target)

    def check(self) -> None:
        """Makes sure that an engine answers."""
        self._run("version", "--format", "{{.Server.Version}}")

    def _run(self, *words: str, missing: bool = False) -> str:
        client = self._client or shutil.which("docker")
        if not client:
            raise UnavailableError(
                f"there is no `docker` on PATH; install Docker, or name it in {DOCKER}"
            )
        try:
            done = subprocess.run(  # nosec B603
                [client, *words],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise UnavailableError(f"{client}: {error.strerror}") from error
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.strip() or done.stdout.strip()
        if missing and _MISSING.search(said):
            return ""
        raise client_error(" ".join(words), said)


def same_content(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Tells whether two images differ in nothing but the time they were made.

    Args:
        ours: What `docker image inspect` prints for one.
        theirs: And for the other.

    Returns:
        Whether layers and settings are the same.
    """

    def content(image: dict[str, Any]) -> list[Any]:
        config = dict(image["Config"])
        # Where it was built, which classic builds write down.
        config.pop("Image", None)
        config.pop("Hostname", None)
        return [image["RootFS"], config, image["Os"], image["Architecture"]]

    return content(ours) == content(theirs)


def client_error(command: str, said: str) -> ReleaseError:
    """Tells from what the client says whose fault it is.

    Args:
        command: What it was asked to do.
        said: What it said.

    Returns:
        The error, to be raised.
    """
    line = said.splitlines()[-1] if said else "no reason given"
    for pattern, kind, hint in _SAID:
        if match := pattern.search(said):
            found = next(
                (text for text in said.splitlines() if match.group() in text), line
            )
            return kind(f"docker {command}: {found.strip()}; {hint}")
    return ReleaseError(f"docker {command}: {line}")
