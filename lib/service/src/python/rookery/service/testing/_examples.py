"""The examples in the README of a room, which its tests run."""

import re
import subprocess  # nosec B404
from collections.abc import Mapping
from pathlib import Path

from rookery.service.testing._processes import run_module

_FLOORS = ("lib", "projects", "tools")
_EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def readme(test_file: str | Path) -> Path:
    """Returns the README of the room that a test belongs to.

    Args:
        test_file: The test's `__file__`, in a checkout or in a sandbox of the same
            shape.

    Returns:
        `README.md` of the nearest folder above it that is `lib/…`, `projects/…` or
        `tools/…`.

    Raises:
        FileNotFoundError: No such folder has one.
    """
    for folder in Path(test_file).absolute().parents:
        found = folder / "README.md"
        if folder.parent.name in _FLOORS and found.is_file():
            return found
    raise FileNotFoundError(
        f"no README.md of a room above {test_file}; "
        "in its BUILD file the test has to depend on the room's `:readme`"
    )


def examples(readme: Path) -> list[str]:
    """Returns the Python examples of a README, in their order.

    Args:
        readme: The file.

    Returns:
        The code of each block that is marked as `python`, below as many empty lines
        as the README has above it: a traceback names the line of the README.
    """
    text = readme.read_text(encoding="utf-8")
    return [
        "\n" * text.count("\n", 0, block.start(1)) + block[1]
        for block in _EXAMPLE.finditer(text)
    ]


def run_example(code: str, readme: Path) -> None:
    """Runs an example in this process; whatever it raises is raised.

    Args:
        code: The example.
        readme: Where it stands, for tracebacks.
    """
    compiled = compile(code, str(readme), "exec", dont_inherit=True)
    # The code is the repository's own README, reviewed like every other file of it.
    exec(compiled, {"__name__": "example"})  # nosec B102


def run_example_alone(
    code: str,
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Runs an example as the main module of a process of its own.

    Args:
        code: The example.
        folder: An empty folder to write it to and to run it in.
        env: Variables to add to the environment.
        timeout: Seconds after which it is killed and the test fails.

    Returns:
        Its exit code and its outputs.
    """
    (folder / "example.py").write_text(code, encoding="utf-8")
    return run_module("example", cwd=folder, env=env, timeout=timeout)
