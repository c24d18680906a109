"""Turns a PEX into one layer of an image, while the image is built.

    python3.11 -I layer.py deps --prune=/build/prune.txt
    python3.11 -I layer.py srcs --volume=/state ingest=rookery.streaming.cli:ingest_main

Reads /build/<scope>.pex and leaves in /out what the image gets: /app, a virtual
environment with the programs that are named; further files (--add); folders that the
image's user may write (--volume). The same
PEX gives the same bytes: fixed times, bytecode that names its source by hash, no caches.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess  # nosec B404
import sys
from collections.abc import Iterable
from pathlib import Path

BUILD = Path("/build")
APP = Path("/app")
OUT = Path("/out")
USER = 10001
# 1980-01-02, the first day that a zip file can name in every time zone.
MOMENT = 315619200

_COMMAND = """\
#!/app/bin/python
import sys

from {module} import {function}

sys.exit({function}())
"""
_MODULE = """\
#!/app/bin/python
import runpy

runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""


def install(scope: str) -> Path:
    """Installs the PEX of this scope as a virtual environment in /app.

    Args:
        scope: `deps` (third parties) or `srcs` (the code of this repository).

    Returns:
        Its folder of packages.
    """
    root = BUILD / "pex_root"
    # Without a shell, and the arguments are constants.
    subprocess.run(  # nosec B603
        [
            *(sys.executable, str(BUILD / f"{scope}.pex"), "venv", f"--scope={scope}"),
            *("--site-packages-copies", "--non-hermetic-scripts", str(APP)),
        ],
        env={**os.environ, "PEX_TOOLS": "1", "PEX_ROOT": str(root)},
        check=True,
    )
    shutil.rmtree(root)
    (packages,) = APP.glob("lib/python3*/site-packages")
    return packages


def prune(packages: Path, patterns: Iterable[str]) -> int:
    """Deletes what nobody needs.

    Args:
        packages: The folder of packages.
        patterns: Glob patterns of files and folders below it; `#` begins a comment.

    Returns:
        How many bytes went.

    Raises:
        SystemExit: A pattern names a package that is there, and nothing in it.
    """
    gone = 0
    for line in patterns:
        pattern = line.partition("#")[0].strip()
        if not pattern or not any(packages.glob(pattern.split("/")[0])):
            continue
        found = sorted(packages.glob(pattern))
        if not found:
            raise SystemExit(f"layer: found nothing to prune at {pattern!r}: outdated?")
        for path in found:
            gone += _size(path)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return gone


def add_commands(commands: Iterable[str]) -> None:
    """Writes the programs of the image.

    Args:
        commands: Each `name=module:function`, or `name=module` as `python -m` runs it.
    """
    for command in commands:
        name, _, target = command.partition("=")
        module, _, function = target.partition(":")
        path = APP / "bin" / name
        template = _COMMAND if function else _MODULE
        path.write_text(template.format(module=module, function=function))
        path.chmod(0o755)


def compile_all(packages: Path) -> None:
    """Compiles what is left.

    A container's root is read-only, so bytecode has to be there; and the image never
    changes, so nobody has to look at the source to know that it is still right.

    Args:
        packages: The folder of packages.

    Raises:
        SystemExit: Something does not compile.
    """
    compiled = compileall.compile_dir(
        packages,
        quiet=1,
        maxlevels=50,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        raise SystemExit("layer: not everything compiles; see above.")


def move_out(files: Iterable[str], volumes: Iterable[str]) -> None:
    """Fills /out, with times and modes that are the same on every machine.

    Args:
        files: Files to add, each `source:target`.
        volumes: Folders that belong to the user of the image.
    """
    OUT.mkdir()
    shutil.move(APP, OUT / APP.name)
    for file in files:
        source, _, target = file.partition(":")
        (OUT / target.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, OUT / target.lstrip("/"))
    for path in OUT.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    for volume in volumes:
        folder = OUT / volume.lstrip("/")
        folder.mkdir(mode=0o755)
        os.chown(folder, USER, USER)
    for path in (OUT, *OUT.rglob("*")):
        os.utime(path, (MOMENT, MOMENT), follow_symlinks=False)


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(below.lstat().st_size for below in path.rglob("*"))


def _remove_programs(packages: Path, keep: Iterable[str] = ()) -> None:
    """Deletes the programs that came with the packages: nobody runs them in an image.

    Args:
        packages: The folder of packages.
        keep: Names of those to keep, beside Python itself.
    """
    for path in (APP / "bin").iterdir():
        if not path.name.startswith("python") and path.name not in keep:
            path.unlink()
    # The PEX's own way in, and what it knows about itself; the image has its own programs.
    for name in ("pex", "pex-repl", "__main__.py", "PEX-INFO", ".pex-venv-scope"):
        (APP / name).unlink(missing_ok=True)
    shutil.rmtree(APP / "include", ignore_errors=True)
    for path in (*packages.glob("PEX_EXTRA_SYS_PATH.*"), *packages.glob("*.pex-info")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="layer", description="A PEX becomes a layer.")
    parser.add_argument("scope", choices=("deps", "srcs"))
    parser.add_argument("--prune", type=Path, help="file of patterns to delete")
    parser.add_argument("--keep", action="append", default=[], help="program to keep")
    parser.add_argument("--add", action="append", default=[], metavar="SOURCE:TARGET")
    parser.add_argument(
        "--volume", action="append", default=[], help="folder of the user"
    )
    parser.add_argument("commands", nargs="*", metavar="COMMAND=MODULE[:FUNCTION]")
    # "Intermixed": programs come after options too.
    arguments = parser.parse_intermixed_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order in sets goes into bytecode.
        os.environ["PYTHONHASHSEED"] = "0"
        command = [sys.executable, "-sP", *sys.argv]
        os.execv(sys.executable, command)  # nosec B606
    packages = install(arguments.scope)
    _remove_programs(packages, arguments.keep)
    if arguments.prune:
        gone = prune(packages, arguments.prune.read_text().splitlines())
        print(f"layer: pruned {gone / 1e6:.1f} MB")
    add_commands(arguments.commands)
    compile_all(packages)
    move_out(arguments.add, arguments.volume)
    print(f"layer: {arguments.scope} has {_size(OUT) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
