import asyncio
import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rookery.records import Parsed, Rejected
from rookery.streaming import SourceChanged, SourceFormatError, SourceSpecError
from rookery.streaming._strings import strings
from rookery.streaming.formats import Columns, Format
from rookery.streaming.sources import (
    Clock,
    Files,
    SourceSpec,
    Stdin,
    open_source,
    source_name,
)

pytestmark = pytest.mark.asyncio

TIME = "2024-05-01T10:00:00+00:00"


def _lines(start: int, stop: int) -> str:
    posts = (
        {"id": str(n), "text": f"post {n}", "created_at": TIME}
        for n in range(start, stop)
    )
    return "".join(json.dumps(post) + "\n" for post in posts)


def _csv(rows: list[tuple[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "text", "created_at"])
    writer.writerows([*row, TIME] for row in rows)
    return out.getvalue().encode()


async def _read(source: Files | Stdin, position: bytes | None = None) -> list[Parsed]:
    batches = []
    try:
        await source.open(position)
        while (parsed := await source.next_batch()) is not None:
            batches.append(parsed)
    finally:
        await source.close()
    return batches


def _ids(batches: list[Parsed]) -> list[str]:
    return [i for parsed in batches for i in strings(parsed.posts["id"])]


def _rejected(batches: list[Parsed]) -> list[Rejected]:
    return [record for parsed in batches for record in parsed.rejected]


def _expected(start: int, stop: int) -> list[str]:
    return [f"s:{n}" for n in range(start, stop)]


async def test_files_are_one_source_in_sorted_order(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(_lines(1500, 2000))
    (tmp_path / "a.jsonl").write_text(_lines(0, 1500))
    batches = await _read(Files([str(tmp_path / "*.jsonl")], name="s"))
    assert _ids(batches) == _expected(0, 2000)
    assert max(parsed.posts.num_rows for parsed in batches) <= 1000


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
async def test_a_resume_goes_on_behind_any_batch(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.{suffix}"
    if suffix == "csv":
        path.write_bytes(_csv([(str(n), f'post\n"{n}"') for n in range(3500)]))
    elif suffix == "jsonl":
        path.write_text(_lines(0, 3500))
    else:
        ids = [str(n) for n in range(3500)]
        times = [datetime.fromisoformat(TIME)] * 3500
        table = pa.table({"id": ids, "text": ids, "created_at": times})
        pq.write_table(table, path, row_group_size=700)
    source = Files([str(path)], name="s")
    await source.open(None)
    seen: list[str] = []
    positions = [source.position()]
    while (parsed := await source.next_batch()) is not None:
        seen += strings(parsed.posts["id"])
        positions.append(source.position())
        rest = await _read(Files([str(path)], name="s"), source.position())
        assert seen + _ids(rest) == _expected(0, 3500)
    assert len(positions) > 4
    assert await _read(Files([str(path)], name="s"), positions[-1]) == []


async def test_a_bad_record_is_named_and_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text(_lines(0, 2) + "no json\n" + _lines(2, 4))
    batches = await _read(Files([str(path)], name="s"))
    assert _ids(batches) == _expected(0, 4)
    (rejected,) = _rejected(batches)
    assert rejected.where == "posts.jsonl:3"
    assert rejected.raw.strip() == b"no json"


async def test_the_line_of_a_bad_record_counts_line_breaks_in_quotes(
    tmp_path: Path,
) -> None:
    rows = [(str(n), "two\nlines") for n in range(1200)]
    rows[1100] = ("1100", "")
    (tmp_path / "posts.csv").write_bytes(_csv(rows))
    (rejected,) = _rejected(await _read(Files([str(tmp_path / "posts.csv")], name="s")))
    assert rejected.where == "posts.csv:2202"


async def test_a_quote_that_is_never_closed_costs_one_record(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(_csv([("0", "a")]) + b'1,"open,x\n' + f"2,c,{TIME}\n".encode())
    batches = await _read(Files([str(path)], name="s"))
    assert _ids(batches) == ["s:0", "s:2"]
    (rejected,) = _rejected(batches)
    assert rejected.where == "posts.csv:3"
    assert "not closed" in rejected.reason


async def test_foreign_columns_and_snowflake_times_are_understood(
    tmp_path: Path,
) -> None:
    path = tmp_path / "posts.csv"
    path.write_text(' Tweet ID, Tweet Text\n"211040709124440064","hello"\n')
    columns = Columns({"id": "Tweet ID", "text": "Tweet Text"}, "snowflake")
    (parsed,) = await _read(Files([str(path)], name="s", columns=columns))
    (post,) = parsed.posts.to_pylist()
    assert post["id"] == "s:211040709124440064"
    assert post["created_at"] == datetime(2012, 6, 8, 10, 23, 20, 659000, tzinfo=UTC)


async def test_a_csv_without_a_needed_column_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("id,words,created_at\n1,a,b\n")
    with pytest.raises(
        SourceFormatError, match="no column 'text' for text; .* 'words'"
    ):
        await _read(Files([str(path)], name="s"))


async def test_a_file_that_grew_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text(_lines(0, 10))
    source = Files([str(path)], name="s")
    await _read(source)
    with path.open("a") as file:
        file.write(_lines(10, 15))
    rest = await _read(Files([str(path)], name="s"), source.position())
    assert _ids(rest) == _expected(10, 15)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda path: os.truncate(path, 20), "cut short or replaced"),
        (lambda path: path.write_text(_lines(5, 30)), "content was replaced"),
    ],
)
async def test_a_file_that_changed_is_refused(
    tmp_path: Path, change: object, complaint: str
) -> None:
    assert callable(change)
    path = tmp_path / "posts.jsonl"
    path.write_text(_lines(0, 10))
    source = Files([str(path)], name="s")
    await _read(source)
    change(path)
    with pytest.raises(SourceChanged, match=complaint):
        await _read(Files([str(path)], name="s"), source.position())


async def test_a_parquet_file_that_was_rewritten_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posts.parquet"
    times = [datetime.fromisoformat(TIME)]
    pq.write_table(pa.table({"id": ["1"], "text": ["a"], "created_at": times}), path)
    source = Files([str(path)], name="s")
    assert _ids(await _read(source)) == ["s:1"]
    pq.write_table(pa.table({"id": ["2"], "text": ["b"], "created_at": times}), path)
    with pytest.raises(SourceChanged):
        await _read(Files([str(path)], name="s"), source.position())


async def test_following_reads_what_is_added_and_only_whole_lines(
    tmp_path: Path,
) -> None:
    path, steps = tmp_path / "a.jsonl", []
    path.write_text(_lines(0, 2) + '{"id": "2", "te')

    async def sleep(seconds: float) -> None:
        steps.append(seconds)
        if len(steps) == 1:
            with path.open("a") as file:
                file.write(f'xt": "x", "created_at": "{TIME}"}}\n')
        elif len(steps) == 2:
            (tmp_path / "b.jsonl").write_text(_lines(3, 5))
        else:
            raise asyncio.CancelledError

    pattern = str(tmp_path / "*.jsonl")
    source = Files([pattern], name="s", follow=True, clock=Clock(sleep=sleep))
    await source.open(None)
    ids: list[str] = []
    with pytest.raises(asyncio.CancelledError):
        while (parsed := await source.next_batch()) is not None:
            ids += strings(parsed.posts["id"])
            assert parsed.rejected == ()
    assert ids == _expected(0, 5)


async def test_a_position_of_another_kind_of_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(_lines(0, 1))
    with pytest.raises(SourceChanged, match="not read from files"):
        await Files([str(tmp_path / "a.jsonl")], name="s").open(b'{"seed": 1}')


async def test_a_pipe_is_read_as_it_comes_and_to_its_end() -> None:
    receiving, sending = os.pipe()
    source = Stdin(receiving, name="s")
    await source.open(None)
    reading = asyncio.create_task(source.next_batch())
    os.write(sending, _lines(0, 3).encode())
    first = await asyncio.wait_for(reading, 5)
    os.write(sending, _lines(3, 5).rstrip("\n").encode())
    os.close(sending)
    rest = []
    while (parsed := await source.next_batch()) is not None:
        rest.append(parsed)
    os.close(receiving)
    assert first is not None and _ids([first]) == _expected(0, 3)
    assert _ids(rest) == _expected(3, 5)
    assert source.position() == b""


@pytest.mark.parametrize(
    ("data", "complaint"),
    [(b"PAR1....", "Parquet cannot be read from a pipe"), (b"id,text\n", "--format")],
)
async def test_a_pipe_that_cannot_be_read_is_refused(
    data: bytes, complaint: str
) -> None:
    receiving, sending = os.pipe()
    os.write(sending, data)
    os.close(sending)
    with pytest.raises(SourceFormatError, match=complaint):
        await Stdin(receiving, name="s").next_batch()
    os.close(receiving)


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (SourceSpec([]), "name a source"),
        (SourceSpec(["nothing-here.csv"]), "there is no such file"),
        (SourceSpec(["nothing-*.csv"]), "matches no file"),
        (SourceSpec(["."]), "is a folder: name its files"),
        (SourceSpec(["-", "synthetic:"]), "cannot be joined"),
        (SourceSpec(["gopher:x"], name="x"), "no such kind of source"),
        (SourceSpec(["-"], name="No Name"), "cannot be a source's name"),
        (SourceSpec(["-"], rate=5.0), "--rate and --limit are for"),
    ],
)
async def test_a_source_that_is_none_says_so(spec: SourceSpec, complaint: str) -> None:
    with pytest.raises(SourceSpecError, match=complaint):
        source = open_source(spec)
        await source.open(None)


async def test_a_source_is_named_after_what_it_reads(tmp_path: Path) -> None:
    for folder in ("Crisis T26/one", "Crisis T26/two/deep"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "My Posts.jsonl").write_text(_lines(0, 1))
    one = str(tmp_path / "Crisis T26/one/*.jsonl")
    assert source_name([one]) == "my-posts"
    assert source_name([str(tmp_path / "Crisis T26/**/*.jsonl")]) == "crisis-t26"
    assert source_name(["synthetic:"]) == "synthetic"
    assert source_name(["-"]) == "stdin"


async def test_the_options_reach_the_source(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text(_lines(0, 1))
    spec = SourceSpec([str(path)], name="s", file_format=Format.JSONL)
    source = open_source(spec)
    await source.open(None)
    parsed = await source.next_batch()
    await source.close()
    assert parsed is not None and _ids([parsed]) == ["s:0"]
    assert source.overlap == timedelta(0)


async def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "posts.jsonl").write_text("no json\n")
    batches = await _read(Files([str(tmp_path / "*/posts.jsonl")], name="s"))
    places = [record.where for record in _rejected(batches)]
    assert places == ["one/posts.jsonl:1", "two/posts.jsonl:1"]
