"""A platform in containers for a test: of its own name, and gone afterwards."""

from __future__ import annotations

import json
import os
import secrets
import subprocess  # nosec B404
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rookery.service.testing import eventually, free_port, require

FOLDER = Path(__file__).parent.parent
NODES = ("nats", "nats-2", "nats-3")
# Starts of containers that share two cores with other tests.
START_SECONDS = 120.0
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_ONE_OFF = "com.docker.compose.oneoff"


@dataclass(frozen=True)
class Stack:
    """A platform that runs in containers.

    Attributes:
        project: Its name, that of nothing else.
        files: The compose files it is made of.
        environment: Variables that the compose files know.
        token: What a client has to present.
        port: Where serving is, on loopback.
    """

    project: str
    files: tuple[Path, ...]
    environment: dict[str, str]
    token: str
    port: int

    def command(self, *arguments: str) -> list[str]:
        """Makes a command line of compose.

        Args:
            *arguments: What compose is to do.

        Returns:
            The command line, to be run in `environment`.
        """
        files = (part for file in self.files for part in ("--file", str(file)))
        compose = (str(require("compose")), "--project-name", self.project)
        return [*compose, *files, *arguments]

    def compose(self, *arguments: str, timeout: float = START_SECONDS) -> str:
        """Runs compose.

        Args:
            *arguments: What it is to do.
            timeout: Seconds it may take.

        Returns:
            What it wrote to its standard output.
        """
        return run(self.command(*arguments), timeout=timeout, env=self.environment)

    def docker(self, *arguments: str, timeout: float = 60) -> str:
        """Runs the client of the engine.

        Args:
            *arguments: What it is to do.
            timeout: Seconds it may take.

        Returns:
            What it wrote to its standard output.
        """
        client = str(require("docker"))
        return run([client, *arguments], timeout=timeout, env=self.environment)

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """Looks at containers, running or not, without those of `compose run`.

        Args:
            service: Only those of this service.

        Returns:
            What the engine knows of each, as `docker inspect` tells it.
        """
        labels = [f"{_PROJECT}={self.project}", f"{_ONE_OFF}=False"]
        labels += [f"{_SERVICE}={service}"] if service else []
        filters = (part for label in labels for part in ("--filter", f"label={label}"))
        ids = self.docker("ps", "--all", "--quiet", "--no-trunc", *filters).split()
        found: list[dict[str, Any]] = (
            json.loads(self.docker("inspect", *ids)) if ids else []
        )
        return found

    def container(self, service: str) -> dict[str, Any]:
        """Looks at the only container of a service.

        Args:
            service: The service.

        Returns:
            What the engine knows of it.
        """
        (found,) = self.containers(service)
        return found

    def python(self, container: str, program: str) -> str:
        """Runs a few lines of Python in a container.

        Args:
            container: Its id.
            program: The lines.

        Returns:
            What they printed.
        """
        return self.docker("exec", container, "python3.11", "-I", "-S", "-c", program)

    def wait_until_healthy(self, *services: str) -> None:
        """Waits for all containers of some services to be well.

        Args:
            *services: The services; none: all that are there, but `rules`, which ends.
        """

        def well() -> bool:
            found = [
                container
                for service in services or (None,)
                for container in self.containers(service)
                if service_of(container) != "rules"
            ]
            return bool(found) and all(health_of(each) == "healthy" for each in found)

        eventually(well, timeout=START_SECONDS, message="all containers are healthy")

    def get(self, path: str, **parameters: str) -> Any:
        """Asks the REST interface.

        Args:
            path: Such as `/api/status`.
            **parameters: The query.

        Returns:
            The decoded answer.
        """
        answer = httpx.get(
            f"http://127.0.0.1:{self.port}{path}",
            params=parameters,
            headers={"authorization": f"Bearer {self.token}"},
            timeout=20,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.json()

    def stop(self) -> float:
        """Stops everything as an operator does.

        Returns:
            How many seconds it took.
        """
        began = time.monotonic()
        self.compose("stop")
        return time.monotonic() - began

    def tell(self) -> None:
        """Prints how each container is and what it said last: in a moment it is gone."""
        for container in self.containers():
            print(f"--- {container['Name']}: {health_of(container)}")
            for probe in container["State"].get("Health", {}).get("Log", [])[-2:]:
                print(f"probe: {probe['ExitCode']} {probe['Output'].strip()}")
        print(self.compose("logs", "--no-color", "--tail", "80"))

    def remove(self) -> None:
        """Removes all containers, networks and volumes of this project."""
        mine = ("--filter", f"label={_PROJECT}={self.project}")
        # Those of `compose run` too, which compose itself may leave.
        if ids := self.docker("ps", "--all", "--quiet", *mine).split():
            self.docker("rm", "--force", "--volumes", *ids)
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "0")
        for kind in ("network", "volume"):
            if ids := self.docker(kind, "ls", "--quiet", *mine).split():
                self.docker(kind, "rm", *ids)


def service_of(container: dict[str, Any]) -> str:
    """Tells to which service a container belongs."""
    service: str = container["Config"]["Labels"][_SERVICE]
    return service


def health_of(container: dict[str, Any]) -> str:
    """Tells how a container is: `healthy`, or its health or state of the moment."""
    state = container["State"]
    if not state["Running"]:
        return f"ended with {state['ExitCode']}"
    status: str = state.get("Health", {}).get("Status", "running")
    return status


def run(command: Sequence[str], *, timeout: float, env: dict[str, str]) -> str:
    """Runs a command; what it complains about is in the error if it fails.

    Args:
        command: The command line.
        timeout: Seconds it may take.
        env: Its environment.

    Returns:
        What it wrote to its standard output.

    Raises:
        AssertionError: It failed.
    """
    done = subprocess.run(  # nosec B603
        command, capture_output=True, text=True, timeout=timeout, env=env, check=False
    )
    if done.returncode:
        raise AssertionError(
            f"{' '.join(command)}: exit code {done.returncode}\n"
            f"{done.stdout}\n{done.stderr}"
        )
    return done.stdout


@contextmanager
def stack(folder: Path, *files: str, **variables: str) -> Iterator[Stack]:
    """Makes a platform; it is started by the caller, and removed in any case.

    Args:
        folder: A folder of its own, such as `tmp_path`.
        *files: Names of compose files.
        **variables: What else the compose files are to know.

    Yields:
        The platform.
    """
    require("images")
    require("compose")
    tokens = folder / "secrets"
    for made in (folder / "input", folder / "rules", tokens):
        made.mkdir(parents=True, exist_ok=True)
        # User 10001 enters what is mounted; nobody else gets past the folder above.
        made.chmod(0o755)
    for name in ("rookery_token", "rookery_bus_token"):
        (tokens / name).write_text(f"{secrets.token_hex(24)}\n")
        (tokens / name).chmod(0o644)
    port = free_port()
    # Nothing that a shell or an .env file holds may lead elsewhere.
    kept = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "ROOKERY_IMAGE_TAG")
    running = Stack(
        project=f"rookery-test-{secrets.token_hex(4)}",
        files=tuple(FOLDER / file for file in files),
        environment={name: os.environ[name] for name in kept if name in os.environ}
        | {
            "ROOKERY_PORT": str(port),
            "ROOKERY_SECRETS_FOLDER": str(tokens),
            "ROOKERY_INPUT_FOLDER": str(folder / "input"),
            "ROOKERY_RULES_FOLDER": str(FOLDER / "rules"),
            "ROOKERY_RULES": "sample.txt",
            "ROOKERY_SOURCE": "synthetic:",
            "ROOKERY_SOURCE_OPTIONS": "--rate 500",
            "ROOKERY_BUS_STORE": "1GB",
            "ROOKERY_LOG_LEVEL": "info",
        }
        | variables,
        token=(tokens / "rookery_token").read_text().strip(),
        port=port,
    )
    failed = True
    try:
        yield running
        failed = False
    finally:
        if failed:
            running.tell()
        running.remove()
