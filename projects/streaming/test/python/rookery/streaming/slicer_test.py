from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rookery.records import Parsed, Rejected, posts_from_columns
from rookery.streaming._ingest import Batch, Slice, Slicer
from rookery.streaming._position import IngestPosition, Totals
from rookery.streaming._strings import strings
from rookery.streaming._window import Window

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
_RECORDS = st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=40)


@dataclass(frozen=True)
class Given:
    """A source of numbers; None is a record that is no post."""

    records: list[int | None]
    size: int

    def batches(self, start: int) -> Iterator[Batch]:
        for at in range(start, len(self.records), self.size):
            some = self.records[at : at + self.size]
            stop = at + len(some)
            yield Batch(_parsed(some, at), b"%d" % at, b"%d" % stop)


def _parsed(records: list[int | None], start: int) -> Parsed:
    numbers = [n for n in records if n is not None]
    # So long that a few posts fill a frame.
    columns: dict[str, list[Any]] = {
        "id": [str(n) for n in numbers],
        "text": [f"{n} " + "x" * 60_000 for n in numbers],
        "created_at": [NOW] * len(numbers),
    }
    parsed = posts_from_columns(
        columns, source="s", ingested_at=NOW, where=lambda row: f"n:{row}"
    )
    assert parsed.rejected == ()
    rejected = [
        Rejected(f"n:{start + i}", "no", b"")
        for i, n in enumerate(records)
        if n is None
    ]
    return Parsed(parsed.posts, tuple(rejected))


def _slices(source: Given, window: Window, resumed: IngestPosition) -> list[Slice]:
    slicer = Slicer(window, resumed)
    start = int(resumed.source or b"0")
    return [part for batch in source.batches(start) for part in slicer.slices(batch)]


def _ids(slices: list[Slice]) -> list[str]:
    return [i for part in slices for i in strings(part.posts["id"])]


def _expected(records: list[int | None]) -> tuple[list[str], Totals]:
    numbers = [n for n in records if n is not None]
    ids = [f"s:{n}" for n in dict.fromkeys(numbers)]
    return ids, Totals(
        read=len(records),
        accepted=len(ids),
        duplicates=len(numbers) - len(ids),
        rejected=len(records) - len(numbers),
    )


@given(_RECORDS, st.integers(1, 12))
def test_each_id_is_accepted_once_and_everything_is_counted(
    records: list[int | None], size: int
) -> None:
    slices = _slices(Given(records, size), Window("s"), IngestPosition())
    ids, totals = _expected(records)
    assert _ids(slices) == ids
    if slices:
        assert slices[-1].position.totals == totals


@given(_RECORDS, st.integers(1, 12), st.integers(1, 12), st.data())
def test_a_resume_behind_any_frame_ends_as_if_nothing_had_happened(
    records: list[int | None], size: int, other_size: int, data: st.DataObject
) -> None:
    whole = _slices(Given(records, size), Window("s"), IngestPosition())
    published = [part for part in whole if part.posts.num_rows]
    kept = published[: data.draw(st.integers(0, len(published)), label="frames kept")]
    resumed = kept[-1].position if kept else IngestPosition()
    resumed = IngestPosition.decode(resumed.encode())
    window = Window("s")
    window.add(_ids(kept))
    # Read again, the source may give other batches.
    rest = _slices(Given(records, other_size), window, resumed)
    ids, totals = _expected(records)
    assert _ids(kept) + _ids(rest) == ids
    reached = rest[-1].position.totals if rest else resumed.totals
    assert reached == totals


def test_frames_hold_what_fits() -> None:
    source = Given(list(range(20)), 20)
    slices = _slices(source, Window("s"), IngestPosition())
    assert len(slices) > 3
    assert [part.position.skip for part in slices][-1] == 0
    skips = [part.position.skip for part in slices[:-1]]
    assert skips == sorted(set(skips)) and skips[0] > 0


def test_a_source_that_cannot_be_rewound_is_never_skipped() -> None:
    batch = Batch(_parsed(list(range(20)), 0), b"", b"")
    slices = list(Slicer(Window("s"), IngestPosition()).slices(batch))
    assert len(slices) > 3
    assert {part.position.skip for part in slices} == {0}
