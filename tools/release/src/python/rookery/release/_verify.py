"""Installs what was published into an empty environment and uses it."""

from __future__ import annotations

import os
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from rookery.release._build import read_metadata
from rookery.release._catalog import PREFIX
from rookery.release._errors import RefusedError, UnavailableError
from rookery.release._settings import Settings

# Runs in the new environment, without anything of this repository on its path.
_USE = """
import importlib, importlib.metadata, pathlib, sys
for name in sys.argv[1:]:
    distribution = importlib.metadata.distribution(name)
    modules = {
        ".".join(file.parts[:2])
        for file in distribution.files
        if len(file.parts) > 2 and file.parts[0] == "rookery" and file.suffix != ".pyi"
    }
    for module in sorted(modules):
        found = importlib.import_module(module)
        where = (found.__file__ and [found.__file__]) or list(found.__path__)
        if not all(pathlib.Path(sys.prefix) in pathlib.Path(at).parents for at in where):
            sys.exit(f"{module} comes from {where}, not from the new environment")
        print(f"{name} {distribution.version}: {module}")
    if name == "rookery-text":
        import pyarrow
        from rookery.text import PhraseTable
        texts = pyarrow.array(["Fresh coffee, please", "tea"])
        hits = PhraseTable.build(["coffee", "tea"]).find(texts)
        if len(hits) != 2:
            sys.exit(f"rookery-text {distribution.version}: {len(hits)} hits, not 2")
        print(f"{name} {distribution.version}: the compiled kernel finds 2 phrases")
"""


def verify(settings: Settings, wheels: Mapping[str, str]) -> list[str]:
    """Installs wheels from the index, and third parties from where pip finds them.

    What is ours comes from our index alone, so that no package of the same name in a
    public index can take its place.

    Args:
        settings: The index.
        wheels: The version of each package, with everything of ours that it requires.

    Returns:
        What was used, a line each.
    """
    settings.require_index()
    with tempfile.TemporaryDirectory(prefix="rookery-verify-") as name:
        folder = Path(name)
        python = folder / "environment" / "bin" / "python"
        run_program(
            [sys.executable, "-I", "-m", "venv", str(folder / "environment")], folder
        )
        pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "-q"]
        ours = [f"{package}=={version}" for package, version in wheels.items()]
        run_program(
            [*pip, "download", "--no-deps", "--only-binary=:all:", "-d", "ours", *ours],
            folder,
            # In the environment, for it may hold a password; and no other index.
            {
                "PIP_INDEX_URL": _with_credentials(settings),
                "PIP_EXTRA_INDEX_URL": "",
                "PIP_FIND_LINKS": "",
                "PIP_CONFIG_FILE": os.devnull,
            },
        )
        files = sorted((folder / "ours").glob("*.whl"))
        third = {
            requirement
            for file in files
            for requirement in read_metadata(file)["requires"]
            if not requirement.startswith(PREFIX)
        }
        if third:
            run_program(
                [*pip, "install", "--only-binary=:all:", *sorted(third)], folder
            )
        run_program(
            [*pip, "install", "--no-deps", "--no-index", *map(str, files)], folder
        )
        run_program([*pip, "check"], folder)
        used = run_program([str(python), "-I", "-c", _USE, *wheels], folder)
        return used.splitlines()


def _with_credentials(settings: Settings) -> str:
    if not settings.user:
        return settings.simple
    parts = urlsplit(settings.simple)
    login = f"{quote(settings.user, '')}:{quote(settings.password, '')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def run_program(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> str:
    """Runs a program, without what the environment says about Python.

    Args:
        command: The program and its arguments.
        folder: The folder to run it in.
        variables: Variables to add to the environment.

    Returns:
        Its standard output.

    Raises:
        RefusedError: It failed.
        UnavailableError: There is no such program.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PEX", "VIRTUAL_ENV", "__PEX"))
    }
    try:
        done = subprocess.run(  # nosec B603
            command,
            cwd=folder,
            env=environment | dict(variables or {}),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        errors = [line for line in said if "ERROR" in line] or said[-1:]
        raise RefusedError(f"verification failed: {errors[-1]}")
    return done.stdout
