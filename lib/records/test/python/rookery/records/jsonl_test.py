import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rookery.records import POST, Parsed, _jsonl, read_jsonl

NOW = datetime(2024, 5, 6, tzinfo=UTC)
GOOD = b'{"id":1,"text":"a","created_at":1714566615123456}'


def parse(data: bytes, **options: Any) -> Parsed:
    return read_jsonl(data, source="test", ingested_at=NOW, where="t.jsonl", **options)


def test_a_line_is_a_post() -> None:
    (post,) = parse(
        b'{"id":"at://1","text":"h\\u00e9\\n","created_at":"2024-05-01T00:00:00Z",'
        b'"author":7,"likes":3,"links":["https://a"],"reply_to":12,"x":{"y":[1]}}'
    ).posts.to_pylist()
    assert post["id"] == "test:at://1"
    assert post["text"] == "h\u00e9\n"
    assert (post["author"], post["likes"], post["reply_to"]) == ("7", 3, "test:12")
    assert post["links"] == ["https://a"]


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\n", b"\xef\xbb\xbf"])
def test_nothing_is_no_posts(data: bytes) -> None:
    parsed = parse(data)
    assert (parsed.posts.num_rows, parsed.rejected) == (0, ())


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n  \n"])
def test_lines_end_in_any_way(end: bytes) -> None:
    assert parse(GOOD + end + GOOD).posts.num_rows == 2
    assert parse(b"\xef\xbb\xbf" + GOOD + end).posts.num_rows == 1


BAD = [
    (b"null", "the line is no post: expected object, got null"),
    (b"[1]", "the line is no post: expected object, got array"),
    (b'{"id":1,"text":"cut', "the line is not JSON: Input data was truncated"),
    (b'{"id":1,"text":"\xff"}', "the line is not valid UTF-8"),
    (b'{"id":1,"text":"\\ud800"}', "the line is not JSON"),
    (b'{"id":1,"text":7}', "text: expected str | null, got int"),
    (b'{"id":1,"text":"a","links":["a",7]}', "links: expected str, got int"),
    (b'{"id":1,"text":"a","likes":true}', "likes: expected "),
    (b'{"id":1,"text":"a","likes":' + b"9" * 5000 + b"}", "likes: "),
    (b'{"id":1,"text":"a","likes":1e999}', "likes: "),
    (GOOD[:-1] + b',"likes":' + b"9" * 40 + b"}", "likes: is not from 0 to"),
    (GOOD[:-1] + b',"likes":1.5}', "likes: is not a whole number: 1.5"),
    (b'{"x":' + b"[" * 100_000, "the line is nested too deep"),
    (GOOD + GOOD, "the line is not JSON"),
    (b'{"text":"a","created_at":0}', "id: is missing"),
    (b"{}", "id: is missing"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_line_that_is_no_post_is_named_and_costs_no_other(
    line: bytes, reason: str, at: int
) -> None:
    lines = [GOOD, GOOD]
    lines.insert(at, line)
    parsed = parse(b"\n".join(lines), first_line=41)
    assert parsed.posts.num_rows == 2
    (rejected,) = parsed.rejected
    assert rejected.where == f"t.jsonl:{41 + at}"
    assert rejected.reason.startswith(reason)
    assert rejected.raw == line[:4096]


def test_all_bad_lines_are_named_in_their_order() -> None:
    parsed = parse(b"\n\n".join([*(line for line, _ in BAD), GOOD]))
    assert parsed.posts.num_rows == 1
    lines = [int(r.where.removeprefix("t.jsonl:")) for r in parsed.rejected]
    assert lines == list(range(1, 2 * len(BAD), 2))


def test_an_object_on_two_lines_is_not_one_post() -> None:
    parsed = parse(b'{"id":1,"text":"a",\n"created_at":0}\n' + GOOD)
    assert parsed.posts.num_rows == 1
    assert [r.where for r in parsed.rejected] == ["t.jsonl:1", "t.jsonl:2"]


@given(st.binary(max_size=60))
def test_garbage_is_rejected_line_by_line(garbage: bytes) -> None:
    parsed = parse(garbage + b"\n" + GOOD)
    assert parsed.posts.num_rows == 1
    black = [line for line in garbage.split(b"\n") if line.strip(b" \t\r\n")]
    assert len(parsed.rejected) <= len(black)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(POST.names), VALUES), max_size=5),
)
def test_every_object_is_a_post_or_is_rejected(rows: list[dict[str, Any]]) -> None:
    data = "\n".join(map(json.dumps, rows)).encode()
    parsed = parse(data)
    assert parsed.posts.num_rows + len(parsed.rejected) == len(rows)


@pytest.fixture
def short_texts_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jsonl, "_ARROW_BYTES", (1, 2**30))


LIKELY = {
    "id": st.integers(0, 9) | st.text(max_size=2),
    "text": st.text(max_size=3),
    "created_at": st.just("2024-05-01T00:00:00Z") | st.just(1714566615123456),
    "links": st.lists(st.none() | st.text(max_size=2), max_size=2),
    "likes": st.integers(-1, 9) | st.floats(0, 9),
    "unknown": VALUES,
}


@pytest.mark.usefixtures("short_texts_by_column")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.sampled_from(POST.names), VALUES, max_size=2)
        | st.fixed_dictionaries({}, optional=LIKELY),
        max_size=30,
    ),
    st.sampled_from([b"", b"", b"null", b"{", b"\n", b'"', b"\\u0069", b"\xff"]),
    st.integers(0, 500),
)
def test_arrow_reads_a_text_as_msgspec_does(
    rows: list[dict[str, Any]], mistake: bytes, place: int
) -> None:
    data = "\n".join(map(json.dumps, rows)).encode()
    data = data[:place] + mistake + data[place:]
    found = parse(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_jsonl, "_read_columns", lambda body: None)
        assert parse(data) == found


def test_arrow_reads_a_text_of_plain_lines() -> None:
    lines = [GOOD[:-1] + b',"likes":1,"zz":{"a":[{}]}}', *[GOOD] * 200]
    read = _jsonl._read_columns(b"\n".join(lines) + b"\n")
    assert read is not None
    assert list(read.at) == list(range(201))
    # What only comes behind the lines that were looked at is read all the same.
    late = b"\n".join([*[GOOD] * 200, GOOD[:-1] + b',"author":"z"}'])
    assert parse(late).posts.column("author").to_pylist()[-1] == "z"
