import json

import pytest

from rookery.release import BuildError, read_catalog


def source(path: str, *dependencies: str, address: str = "") -> dict[str, object]:
    return {
        "address": address or f"{path}@resolve=core",
        "target_type": "python_source",
        "sources": [path],
        "dependencies": list(dependencies),
    }


def distribution(folder: str, name: str, *dependencies: str) -> dict[str, object]:
    return {
        "address": f"{folder}:dist",
        "target_type": "python_distribution",
        "provides": {"name": name},
        "dependencies": list(dependencies),
        "tags": None,
    }


A, B, DEEP = (
    "lib/alpha/src/python/rookery/alpha/a.py",
    "lib/beta/src/python/rookery/beta/b.py",
    "lib/beta/src/python/rookery/beta/deep/c.py",
)
KERNEL = "lib/beta/src/python/rookery/beta_native"
TARGETS = [
    source(A, "3rdparty/core#arrow"),
    source(B, f"{A}@resolve=core", f"{DEEP}:../beta@resolve=core"),
    source(DEEP, f"{KERNEL}:kernel", address=f"{DEEP}:../beta@resolve=core"),
    distribution("lib/beta", "rookery-beta", f"{B}@resolve=core"),
    distribution("lib/alpha", "rookery-alpha", f"{A}@resolve=core"),
    distribution(KERNEL, "rookery-beta-native", f"{KERNEL}/k.pyx:native")
    | {"address": f"{KERNEL}:kernel"},
    {
        "address": f"{KERNEL}/k.pyx:native",
        "target_type": "resource",
        "sources": [f"{KERNEL}/k.pyx"],
        "dependencies": [],
    },
    {
        "address": f"{KERNEL}:dist",
        "target_type": "versioned_wheel",
        "dependencies": [f"{KERNEL}:kernel"],
    },
    {
        "address": "3rdparty/core#arrow",
        "target_type": "python_requirement",
        "dependencies": [
            "3rdparty/core/requirements.txt",
            "3rdparty/core/core.lock:_l",
        ],
    },
    {
        "address": "3rdparty/core/requirements.txt",
        "target_type": "_generator_sources_helper",
        "sources": ["3rdparty/core/requirements.txt"],
        "dependencies": [],
    },
    {
        "address": "3rdparty/core/core.lock:_l",
        "target_type": "_lockfile",
        "sources": ["3rdparty/core/core.lock"],
        "dependencies": [],
    },
    {
        "address": "dockerfiles/stream:ingest",
        "target_type": "docker_image",
        "repository": "rookery/ingest",
        "tags": ["image"],
        "dependencies": ["dockerfiles/stream:srcs"],
        "sources": ["dockerfiles/stream/Dockerfile"],
    },
    {
        "address": "dockerfiles/stream:srcs",
        "target_type": "pex_binary",
        "dependencies": [f"{A}@resolve=core"],
    },
    {
        "address": "dockerfiles/test:image",
        "target_type": "docker_image",
        "repository": "rookery/test",
        "tags": ["unreleased"],
        "dependencies": [],
    },
    {
        "address": "projects/match:stamp",
        "target_type": "build_stamp",
        "package": "rookery-match",
        "dependencies": [],
    },
    # A target without sources, whose file another one takes: no package at all.
    {"address": "lib/alpha:readme", "target_type": "file", "sources": ["lib/alpha/R"]},
]
CATALOG = read_catalog(json.dumps(TARGETS), ["tools/macros.py"])
PACKAGES = {package.name: package for package in CATALOG.packages}


def test_wheels_come_after_what_they_require_and_images_last() -> None:
    assert [(package.name, package.kind) for package in CATALOG.packages] == [
        ("rookery-alpha", "wheel"),
        ("rookery-beta-native", "wheel"),
        ("rookery-beta", "wheel"),
        ("rookery-ingest", "image"),
    ]


def test_a_wheel_requires_the_owners_of_what_it_does_not_own() -> None:
    requires = {name: package.requires for name, package in PACKAGES.items()}
    assert requires == {
        "rookery-alpha": (),
        "rookery-beta-native": (),
        "rookery-beta": ("rookery-alpha", "rookery-beta-native"),
        "rookery-ingest": (),
    }


def test_a_versioned_wheel_is_published_in_the_place_of_its_distribution() -> None:
    assert PACKAGES["rookery-beta-native"].target == f"{KERNEL}:dist"
    assert PACKAGES["rookery-beta"].target == "lib/beta:dist"


def test_inputs_are_all_sources_their_build_files_and_the_macros() -> None:
    assert PACKAGES["rookery-beta"].inputs == {
        A,
        B,
        DEEP,
        f"{KERNEL}/k.pyx",
        "3rdparty/core/requirements.txt",
        "3rdparty/core/BUILD",
        "lib/alpha/src/python/rookery/alpha/BUILD",
        "lib/beta/src/python/rookery/beta/BUILD",
        "lib/beta/BUILD",
        f"{KERNEL}/BUILD",
        "tools/macros.py",
    }


def test_an_image_depends_on_the_lockfile_and_a_wheel_does_not() -> None:
    lock = "3rdparty/core/core.lock"
    assert lock in PACKAGES["rookery-ingest"].inputs
    assert lock not in PACKAGES["rookery-alpha"].inputs


def test_what_is_shipped_otherwise_can_be_tagged_too() -> None:
    assert CATALOG.stamped == {"rookery-match"}
    assert "rookery-match" in CATALOG.names
    assert "rookery-test" not in CATALOG.names


def test_the_folder_of_a_file_is_that_of_its_build_file() -> None:
    folders = PACKAGES["rookery-beta"].folders
    assert "lib/beta/src/python/rookery/beta" in folders
    assert "lib/beta/src/python/rookery/beta/deep" not in folders
    assert "lib/alpha" in CATALOG.folders


@pytest.mark.parametrize("text", ["", "{}x", '["address"]', '[{"name": 1}]'])
def test_something_else_than_targets_is_refused(text: str) -> None:
    with pytest.raises(BuildError, match="prints no targets"):
        read_catalog(text)
