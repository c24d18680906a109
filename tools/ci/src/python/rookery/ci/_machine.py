"""What this machine has: may images be built on it?"""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
from collections.abc import Mapping
from pathlib import Path

from rookery.ci._errors import Unavailable
from rookery.ci._steps import BASE_IMAGE

# Debian's client fits Debian's engine; a newer one elsewhere on PATH may not.
_PREFERRED = Path("/usr/bin/docker")
_SECONDS = 30


def docker_client(path: str | None = None) -> Path | None:
    """Returns the container client to use, None where there is none.

    Args:
        path: Where to look, as in `PATH`; that of the process if left out.

    Returns:
        Its path; Debian's own where it is installed.
    """
    if path is None and os.access(_PREFERRED, os.X_OK):
        return _PREFERRED
    found = shutil.which("docker", path=path)
    return Path(found) if found else None


def docker(client: Path, *arguments: str) -> str:
    """Runs the container client.

    Args:
        client: The client.
        *arguments: Its arguments.

    Returns:
        What it printed.

    Raises:
        Unavailable: It failed, or did not answer.
    """
    try:
        done = subprocess.run(  # nosec B603
            [client, *arguments],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
            # Saving and loading images takes its time; nothing else does.
            timeout=_SECONDS if arguments[0] not in ("save", "load") else 1800,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"docker {arguments[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unavailable(f"docker {arguments[0]}: {said[-1]}")
    return done.stdout


def why_no_images(env: Mapping[str, str], path: str | None = None) -> str | None:
    """Says why images cannot be built here.

    Args:
        env: `BASE_IMAGE` is what they are built on, where it is set.
        path: Where to look for programs; the `PATH` of the process if left out.

    Returns:
        The reason, or None where they can.
    """
    client = docker_client(path)
    if client is None:
        return "no container engine: there is no docker client on PATH"
    try:
        docker(client, "version", "--format", "{{.Server.Version}}")
    except Unavailable as error:
        return f"no container engine answers: {error}"
    if env.get("BASE_IMAGE"):
        return None
    try:
        docker(client, "image", "inspect", BASE_IMAGE)
    except Unavailable:
        if shutil.which("debootstrap", path=path) is None:
            return (
                f"no base image: {BASE_IMAGE} is not there, nor debootstrap to make it"
            )
        if os.geteuid() != 0:
            return (
                f"no base image: {BASE_IMAGE} is not there, and only root can make it"
            )
    return None
