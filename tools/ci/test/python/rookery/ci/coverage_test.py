import io
from pathlib import Path

import coverage
import pytest

from rookery.ci import CiError, merge_coverage


@pytest.fixture(name="project")
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code.py").write_text("a = 1\nb = 2\nc = 3\nd = 4\n")
    (tmp_path / "coverage.cfg").write_text("[run]\nrelative_files = True\n")
    return tmp_path / "data"


def shard(folder: Path, number: int, *lines: int) -> None:
    path = folder / f"shard-{number}" / ".coverage"
    path.parent.mkdir(parents=True)
    data = coverage.CoverageData(str(path))
    data.add_lines({"code.py": lines})
    data.write()


CONFIG = Path("coverage.cfg")


def test_shards_are_added_up(project: Path) -> None:
    shard(project, 0, 1, 2)
    shard(project, 1, 2, 3)
    out = io.StringIO()
    assert merge_coverage(project, CONFIG, 75, out) == pytest.approx(75.0)
    assert "code.py" in out.getvalue()
    assert (project / "coverage.xml").exists()
    assert (project / "html" / "index.html").exists()
    # The data of the shards stays, so that the step can be run again.
    assert merge_coverage(project, CONFIG, 75, out) == pytest.approx(75.0)


def test_each_shard_alone_may_be_below_the_floor_but_not_their_sum(
    project: Path,
) -> None:
    shard(project, 0, 1, 2)
    shard(project, 1, 2, 3)
    with pytest.raises(CiError, match=r"75\.00 %, below the floor of 75\.5 %"):
        merge_coverage(project, CONFIG, 75.5, io.StringIO())


def test_no_data_is_an_error(project: Path) -> None:
    with pytest.raises(CiError, match="no coverage data"):
        merge_coverage(project, CONFIG, 0, io.StringIO())


@pytest.mark.filterwarnings("ignore:Couldn't use data file")
def test_data_that_cannot_be_read_is_an_error(project: Path) -> None:
    (project / "shard-0").mkdir(parents=True)
    (project / "shard-0" / ".coverage").write_text("no database")
    with pytest.raises(CiError, match="data: "):
        merge_coverage(project, CONFIG, 0, io.StringIO())
