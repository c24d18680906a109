"""What `match RULES POSTS` reads, chooses and writes, as it is run in this process."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import random
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from rookery.matching import MatchingError, RuleSet
from rookery.matching._commands._input import (
    Forbidden,
    InputError,
    Misuse,
    Unreadable,
    _reasons,
)
from rookery.matching._commands._output import RULESET_KEY
from rookery.matching.cli import app
from rookery.records import MATCH, Parsed, read_csv, read_jsonl, read_parquet

RULES = "fires = fire -drill\ntags = #tag\nnever = zzz\n"
NOW = datetime(2024, 5, 6, tzinfo=UTC)
AT = "2024-01-01T00:00:00Z"
POSTS = [
    {"id": "1", "text": "a FIRE", "created_at": AT},
    {"id": "2", "text": "a fire drill", "created_at": AT},
    {"id": "3", "text": "quiet", "created_at": AT},
    {"id": "4", "text": "#Tag fire", "created_at": AT},
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rules.txt").write_text(RULES)
    Path("posts.jsonl").write_text(lines(POSTS))
    return tmp_path


def lines(posts: list[dict[str, str]]) -> str:
    return "".join(json.dumps(post) + "\n" for post in posts)


def as_csv(posts: list[dict[str, str]]) -> str:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, ["id", "text", "created_at"])
    writer.writeheader()
    writer.writerows(posts)
    return sink.getvalue()


def run(*arguments: object) -> int:
    result = app([str(one) for one in arguments], standalone_mode=False)
    return result if isinstance(result, int) else 0


def found(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        *(
            (name, packed)
            for name in ("p.jsonl", "p.ndjson", "p.csv")
            for packed in PACK
        ),
        # Parquet is compressed inside.
        ("p.parquet", ""),
    ],
)
def test_files_of_each_format_hold_the_same_posts(
    name: str, packed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = Path(name + packed)
    if name.endswith("csv"):
        path.write_bytes(PACK[packed](as_csv(POSTS).encode()))
    elif not name.endswith("parquet"):
        path.write_bytes(PACK[packed](lines(POSTS).encode()))
    else:
        pyarrow.parquet.write_table(pa.Table.from_pylist(POSTS), path)
    run("match", "rules.txt", path)
    assert [(one["id"], one["row"]) for one in found(capfd)] == [("p:1", 0), ("p:4", 3)]


def test_rows_go_on_counting_in_the_next_file(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Path("more.csv").write_text(as_csv(POSTS))
    run("match", "rules.txt", "posts.jsonl", "more.csv", "--select", "row,id")
    assert found(capfd) == [
        {"row": 0, "id": "posts:1"},
        {"row": 3, "id": "posts:4"},
        {"row": 4, "id": "more:1"},
        {"row": 7, "id": "more:4"},
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_large_files_are_matched_piece_by_piece(
    threads: int, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(3)  # nosec B311
    words = ["fire", "drill", "#tag", "night", "x" * 300]
    posts = [
        {"id": str(n), "text": " ".join(dice.choices(words, k=4)), "created_at": AT}
        for n in range(20_000)
    ]
    Path("big.jsonl").write_text(lines(posts))
    run(
        "match", "rules.txt", "big.jsonl", "--threads", threads, "--select", "row,rules"
    )
    expected = []
    for number, post in enumerate(posts):
        words = post["text"].split()
        rules = ["fires"] if "fire" in words and "drill" not in words else []
        rules += ["tags"] if "#tag" in words else []
        if rules:
            expected.append({"row": number, "rules": rules})
    assert found(capfd) == expected


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["1", "4"]),
        (["--invert"], ["2", "3"]),
        (["-v"], ["2", "3"]),
        (["--all"], ["1", "2", "3", "4"]),
    ],
)
def test_other_posts_are_written_on_demand(
    options: list[str], ids: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    run("match", "rules.txt", "posts.jsonl", *options)
    said = capfd.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [one["id"] for one in rows] == [f"posts:{id_}" for id_ in ids]
    assert [one["row"] for one in rows] == [int(id_) - 1 for id_ in ids]
    assert all(bool(one["rules"]) == (one["row"] in (0, 3)) for one in rows)
    assert said.err.startswith("2 of 4 posts match one of 3 rules, version ")


@pytest.mark.parametrize("output", ["jsonl", "csv", "parquet", "table"])
def test_posts_are_counted_by_rule(
    output: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    run("match", "rules.txt", "posts.jsonl", "--count", "-o", output)
    out = capfdbinary.readouterr().out
    match output:
        case "jsonl":
            counts = [tuple(json.loads(line).values()) for line in out.splitlines()]
        case "csv":
            rows = list(csv.reader(io.StringIO(out.decode())))
            assert rows.pop(0) == ["rule", "posts"]
            counts = [(rule, int(count)) for rule, count in rows]
        case "parquet":
            table = pyarrow.parquet.read_table(io.BytesIO(out))
            counts = [tuple(row.values()) for row in table.to_pylist()]
        case _:
            pairs = [line.split() for line in out.decode().splitlines()]
            counts = [(rule, int(count)) for count, rule in pairs]
    assert counts == [("fires", 2), ("tags", 1), ("never", 0)]


@pytest.mark.parametrize("posts", [POSTS, []])
@pytest.mark.parametrize("name", ["m.jsonl", "m.csv", "m.parquet"])
def test_what_was_written_can_be_read_again(
    name: str, posts: list[dict[str, str]]
) -> None:
    Path("posts.jsonl").write_text(lines(posts))
    run("match", "rules.txt", "posts.jsonl", "--to", name)
    data = Path(name).read_bytes()
    readers: dict[str, Callable[..., Parsed]] = {
        ".jsonl": read_jsonl,
        ".csv": read_csv,
        ".parquet": read_parquet,
    }
    if not (name == "m.jsonl" and not posts):
        read = readers[Path(name).suffix](data, source="posts", ingested_at=NOW).posts
        assert read.column("id").to_pylist() == (
            ["posts:1", "posts:4"] if posts else []
        )
    if name == "m.parquet":
        schema = pyarrow.parquet.read_schema(name)
        assert schema.equals(MATCH)
        version = RuleSet.load(Path("rules.txt")).version
        assert (schema.metadata or {})[RULESET_KEY] == version.encode()
        assert (schema.metadata or {})[b"rookery.schema"] == b"match/1"


@pytest.mark.parametrize("name", ["m.csv.gz", "m.jsonl.zst", "deep/../m.txt"])
def test_the_name_of_the_file_says_what_is_written(name: str) -> None:
    Path("deep").mkdir()
    run("match", "rules.txt", "posts.jsonl", "--select", "id", "--to", name)
    data = Path(name).read_bytes()
    if name.endswith("gz"):
        data = gzip.decompress(data)
    if name.endswith("zst"):
        with pa.CompressedInputStream(io.BytesIO(data), "zstd") as unpacked:
            data = unpacked.read()
    assert (
        data.decode().splitlines()
        == {
            "m.csv.gz": ['"id"', '"posts:1"', '"posts:4"'],
            "m.jsonl.zst": ['{"id":"posts:1"}', '{"id":"posts:4"}'],
            "deep/../m.txt": ["id", "posts:1", "posts:4"],
        }[name]
    )


def test_a_file_is_replaced_only_by_a_whole_one(folder: Path) -> None:
    target = folder / "m.jsonl"
    target.write_text("before")
    target.chmod(0o640)
    (folder / "link.jsonl").symlink_to("m.jsonl")
    bad = folder / "bad.jsonl"
    bad.write_text(lines(POSTS) + "null\n")
    with pytest.raises(MatchingError, match="bad.jsonl:5: the line is no post"):
        run("match", "rules.txt", bad, "--strict", "--to", "link.jsonl")
    assert target.read_text() == "before"
    run("match", "rules.txt", bad, "--to", "link.jsonl", "--select", "id")
    assert target.read_text().count("\n") == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert (folder / "link.jsonl").is_symlink()
    assert not list(folder.glob(".*.part"))


def test_a_device_is_written_to_as_it_is() -> None:
    run("match", "rules.txt", "posts.jsonl", "--to", "/dev/null")
    assert Path("/dev/null").is_char_device()


def test_columns_are_chosen_with_the_version_among_them(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run("match", "rules.txt", "posts.jsonl", "--select", "ruleset, id")
    version = RuleSet.load(Path("rules.txt")).version
    assert found(capfd)[0] == {"ruleset": version, "id": "posts:1"}


def test_a_table_has_a_header_and_chosen_columns(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run(
        "match", "rules.txt", "posts.jsonl", "-o", "table", "--select", "rules,text,url"
    )
    assert [line.split() for line in capfd.readouterr().out.splitlines()] == [
        ["rules", "text", "url"],
        ["fires", "a", "FIRE"],
        ["fires,", "tags", "#Tag", "fire"],
    ]


def test_many_bad_records_are_counted_by_reason(
    capfd: pytest.CaptureFixture[str],
) -> None:
    good = lines(POSTS)
    bad = "".join(
        json.dumps({"id": n, "text": "a", "created_at": AT, "likes": f"x{n}"}) + "\n"
        for n in range(30)
    )
    Path("bad.jsonl").write_text(good + bad + "null\n" * 3)
    run("match", "rules.txt", "bad.jsonl")
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "bad.jsonl:5: likes: is not a whole number: 'x0'"
    assert said[9].startswith("bad.jsonl:14: ")
    assert said[10:] == [
        "more records are no posts: they are counted by reason",
        "33 records are no posts:",
        "         30  likes: is not a whole number",
        "          3  the line is no post: expected object, got null",
        "2 of 4 posts match one of 3 rules, version "
        f"{RuleSet.load(Path('rules.txt')).version}; records that are no posts: 33",
    ]


def test_a_row_of_parquet_is_named_by_its_number(
    capfd: pytest.CaptureFixture[str],
) -> None:
    posts = [*POSTS, {"id": "5", "text": " ", "created_at": AT}]
    pyarrow.parquet.write_table(
        pa.Table.from_pylist(posts), "p.parquet", row_group_size=2
    )
    run("match", "rules.txt", "p.parquet")
    assert capfd.readouterr().err.splitlines()[0] == "p.parquet:5: text: is empty"


MISTAKES: list[tuple[list[str], type[MatchingError], int, str]] = [
    (["missing.jsonl"], Unreadable, 69, "missing.jsonl: there is no such file"),
    (["missing.odd"], Unreadable, 69, "missing.odd: there is no such file"),
    (["deep"], Misuse, 64, r"deep: is a folder: name the files in it, as in deep/\*"),
    (["deep", "--format", "csv"], Misuse, 64, "deep: is a folder"),
    (["posts.jsonl", "deep"], Misuse, 64, "deep: is a folder"),
    (["rules.txt"], Misuse, 64, "does not say what format"),
    (["posts.jsonl", "--format", "parquet"], InputError, 65, "jsonl: is not a Parquet"),
    (["posts.jsonl", "--format", "csv"], InputError, 65, "no column 'id' for id"),
    (["p.csv", "--columns", "id=x"], InputError, 65, "no column 'x' for id; there is"),
    (["p.csv", "--columns", "ids=x"], Misuse, 64, "a post has no column 'ids'"),
    (["p.csv", "--columns", "id"], Misuse, 64, "expected ours=theirs at column 1"),
    (["empty.csv"], InputError, 65, "empty.csv: the CSV has no header"),
    (["packed.jsonl"], InputError, 65, "compressed with gzip: name it .gz"),
    (["columns.jsonl"], InputError, 65, "it is Parquet: say --format parquet"),
    (["cut.jsonl.gz"], InputError, 65, "cut.jsonl.gz: cannot be unpacked: Truncated"),
    (["text.jsonl.zst"], InputError, 65, "text.jsonl.zst: cannot be unpacked"),
    (["p.parquet.gz"], Misuse, 64, "compressed inside: unpack the file"),
    (["posts.jsonl", "--time", "at"], Misuse, 64, "--time are for CSV and Parquet"),
    (["posts.jsonl", "--select", "txt"], Misuse, 64, "'txt'; did you mean text"),
    (["posts.jsonl", "--select", "qqq"], Misuse, 64, "'qqq'; there are id, source"),
    (["posts.jsonl", "--select", "id,id"], Misuse, 64, "names id twice"),
    (["posts.jsonl", "--all", "-v"], Misuse, 64, "three different things"),
    (["posts.jsonl", "-c", "--select", "id"], Misuse, 64, "nothing to --select"),
    (["posts.jsonl", "--to", "deep"], MatchingError, 73, "deep: is a folder: name a"),
    (
        ["posts.jsonl", "--to", "no/m.csv"],
        MatchingError,
        73,
        "cannot be created: No su",
    ),
    (["posts.jsonl", "--to", "m.parquet.gz"], Misuse, 64, "compressed inside: name it"),
    (["posts.jsonl", "--to", "/dev/full"], MatchingError, 74, "/dev/full: No space"),
]


@pytest.mark.parametrize(("arguments", "kind", "code", "says"), MISTAKES)
def test_a_mistake_is_one_clear_line(
    arguments: list[str], kind: type[MatchingError], code: int, says: str
) -> None:
    Path("deep").mkdir()
    Path("p.csv").write_text(as_csv(POSTS))
    Path("empty.csv").write_text("")
    Path("p.parquet.gz").write_bytes(b"")
    packed = gzip.compress(lines(POSTS).encode())
    Path("packed.jsonl").write_bytes(packed)
    Path("cut.jsonl.gz").write_bytes(packed[:-12])
    Path("text.jsonl.zst").write_text(lines(POSTS))
    Path("columns.jsonl").write_bytes(b"PAR1 and so on")
    with pytest.raises(kind, match=says) as caught:
        run("match", "rules.txt", *arguments)
    assert caught.value.exit_code == code
    assert "\n" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_said_to_be_one() -> None:
    # Root may read everything, so that a file cannot show it.
    with pytest.raises(Forbidden, match="^a.csv: this user may not read it$"):
        with _reasons(Path("a.csv")):
            raise PermissionError(13, "Permission denied")
    assert Forbidden.exit_code == 77


def test_parts_of_files_are_told_before_anything_is_written(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Unreadable):
        run("match", "rules.txt", "posts.jsonl", "missing.jsonl")
    assert capfd.readouterr().out == ""
