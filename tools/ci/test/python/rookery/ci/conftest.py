from pathlib import Path

import pytest

from rookery.ci.testing import Repository


@pytest.fixture(name="repository")
def make_repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "repository")
    repository.write(".gitignore", "/dist/\n")
    repository.commit("First")
    return repository
