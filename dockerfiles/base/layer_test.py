from __future__ import annotations

import shutil
import subprocess  # nosec B404
import sys
from pathlib import Path

import msgspec
import pytest
from dockerfiles.base.layer import loaded_size, prune, strip


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"12345")


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_what_patterns_name_goes_files_and_folders(tmp_path: Path) -> None:
    make(tmp_path, "a/keep.py", "a/x.pyx", "a/tests/one.py", "a/b/tests/two.py")
    gone = prune(tmp_path, ["# why", "a/*.pyx  # and why", "", "a/**/tests"])
    assert names(tmp_path) == {"a/keep.py"}
    assert gone == 15


def test_a_pattern_of_a_package_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    make(tmp_path, "a/keep.py")
    assert prune(tmp_path, ["b/tests"]) == 0


def test_a_pattern_that_matches_nothing_in_its_package_stops_the_build(
    tmp_path: Path,
) -> None:
    make(tmp_path, "a/keep.py")
    with pytest.raises(SystemExit, match="a/tests"):
        prune(tmp_path, ["a/tests"])


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_a_library_with_its_symbols_cut_off_works_as_before(tmp_path: Path) -> None:
    (library,) = Path(msgspec.__file__).parent.glob("_core*.so")
    copy = tmp_path / library.name
    shutil.copyfile(library, copy)
    with copy.open("ab") as file:
        file.write(b"\0" * 4096)  # what a debugger reads, behind the last segment
    assert strip(tmp_path) >= 4096
    assert copy.stat().st_size == loaded_size(copy.read_bytes())
    load = f"import ctypes; ctypes.CDLL({str(copy)!r})"
    subprocess.run([sys.executable, "-I", "-c", load], check=True)  # nosec B603
    assert strip(tmp_path) == 0


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + b"\0" * 60])
def test_what_is_no_64_bit_elf_is_left_alone(data: bytes) -> None:
    assert loaded_size(data) is None
