import csv
import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rookery.streaming.formats import Columns, Format, Step, TextParser

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
_TEXTS = st.lists(st.text(alphabet='ab"\n,é', min_size=1, max_size=8), max_size=12)


def _steps(parser: TextParser, *, final: bool) -> list[Step]:
    steps = []
    while (step := parser.next(NOW, final=final)) is not None:
        steps.append(step)
    return steps


@given(texts=_TEXTS, size=st.integers(1, 20), has_mark=st.booleans())
def test_csv_comes_out_as_it_went_in_however_it_arrives(
    texts: list[str], size: int, has_mark: bool
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "text", "created_at"])
    for number, text in enumerate(texts):
        writer.writerow([number, f"x{text}", "2024-05-01T10:00:00+00:00"])
    data = (b"\xef\xbb\xbf" if has_mark else b"") + out.getvalue().encode()
    parser = TextParser(Format.CSV, Columns(), source="s", name="n")
    steps = []
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])
        steps += _steps(parser, final=False)
    steps += _steps(parser, final=True)
    found = [t for step in steps for t in step.parsed.posts["text"].to_pylist()]
    assert found == [f"x{text}" for text in texts]
    assert sum(step.consumed for step in steps) == len(data)
    assert not steps or steps[-1].line == data.count(b"\n") + 1
