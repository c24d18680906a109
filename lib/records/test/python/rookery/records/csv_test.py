import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import Parsed, RecordsError, SchemaError, read_csv, read_parquet

NOW = datetime(2024, 5, 6, tzinfo=UTC)
HEADER = b"id,text,created_at\n"
TIME = b"2024-05-01T00:00:00Z"


def parse(data: bytes, **options: Any) -> Parsed:
    return read_csv(data, source="test", ingested_at=NOW, where="t.csv", **options)


def texts(parsed: Parsed) -> list[object]:
    return parsed.posts.column("text").to_pylist()


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (b"1,a,%T\n2,b,%T\n", ["a", "b"]),
        (b"1,a,%T\r\n2,b,%T", ["a", "b"]),
        (b'1,"a\n\nb",%T\n2,"c\r\nd",%T\n', ["a\n\nb", "c\r\nd"]),
        (b'1,"a ""b"", c",%T\n', ['a "b", c']),
        (b'1,a "b" c,%T\n', ['a "b" c']),
        (b'1,6" disk,%T\n2,b,%T\n', ['6" disk', "b"]),
        (b"\n\n1,a,%T\n\n2,b,%T\n\n", ["a", "b"]),
        (b"", []),
        (b"\n \r\n", []),
    ],
)
def test_records_are_posts(records: bytes, expected: list[str]) -> None:
    parsed = parse(HEADER + records.replace(b"%T", TIME))
    assert parsed.rejected == ()
    assert texts(parsed) == expected


def test_names_in_a_header_may_have_spaces_around_them() -> None:
    data = b"\xef\xbb\xbf id , text,created_at \n1,a," + TIME
    assert texts(parse(data)) == ["a"]


def test_a_name_in_a_header_may_have_a_line_break_in_it() -> None:
    data = b'"id","what\nelse",text,created_at\n1,x,a,' + TIME + b"\n2,x,," + TIME
    parsed = parse(data)
    assert texts(parsed) == ["a"]
    assert [r.where for r in parsed.rejected] == ["t.csv:4"]


def test_ids_lose_single_quotes_around_them() -> None:
    parsed = parse(HEADER + b"'12',a," + TIME + b"\no'1',b," + TIME)
    assert parsed.posts.column("id").to_pylist() == ["test:12", "test:o'1'"]


def test_lists_are_json_arrays() -> None:
    data = b'id,text,created_at,links\n1,a,0,"[""x"",""y""]"\n2,b,0,\n3,c,0,x\n'
    parsed = parse(data)
    assert parsed.posts.column("links").to_pylist() == [["x", "y"], []]
    assert [r.where for r in parsed.rejected] == ["t.csv:4"]


@pytest.mark.parametrize(
    ("bad", "lines", "reason"),
    [
        (b"2,b", 1, "the record has 2 fields, and the header 3"),
        (b"2", 1, "the record has 1 field, and the header 3"),
        (b"2,b,%T,x", 1, "the record has 4 fields, and the header 3"),
        (b"2,b\xff,%T", 1, "text: is not valid UTF-8 at byte 1"),
        (b'2,"b\n\xff\nc",%T', 3, "text: is not valid UTF-8 at byte 2"),
        (b",b,%T", 1, "id: is missing"),
        (b"2,,%T", 1, "text: is empty"),
        (b"2,b,then", 1, "created_at: is neither RFC 3339"),
        (b'2,"b,%T', 1, "a quoted field is not closed before the end"),
        (b"2,b\rc,%T", 1, "the record cannot be read"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_record_that_is_no_post_is_named_and_costs_no_other(
    bad: bytes, lines: int, reason: str, end: bytes
) -> None:
    bad = bad.replace(b"%T", TIME)
    good = [b'1,"first\nof all",' + TIME, b"3,last," + TIME]
    data = HEADER + end.join([good[0], bad, good[1]]) + end
    parsed = parse(data, first_line=11)
    assert texts(parsed) == ["first\nof all", "last"]
    (rejected,) = parsed.rejected
    assert rejected.where == "t.csv:14"
    assert rejected.reason.startswith(reason)
    assert rejected.raw == bad
    assert bad.count(b"\n") == lines - 1


def test_a_last_record_that_is_cut_short_is_named() -> None:
    parsed = parse(HEADER + b"1,a," + TIME + b'\n2,"b and')
    assert texts(parsed) == ["a"]
    (rejected,) = parsed.rejected
    assert (rejected.where, rejected.raw) == ("t.csv:3", b'2,"b and')


def test_a_quote_that_is_never_closed_costs_its_line_alone() -> None:
    rows = [b"%d,text %d,%s" % (n, n, TIME) for n in range(30)]
    rows[10] = b'10,"open,' + TIME
    parsed = parse(HEADER + b"\n".join(rows))
    assert parsed.posts.num_rows == 29
    assert [r.where for r in parsed.rejected] == ["t.csv:12"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no header"),
        (b"\nid,text\n", "no header"),
        (b"id,text,text,created_at\n", "more than one column 'text' for text"),
    ],
)
def test_a_csv_without_a_header_that_can_be_used_is_refused(
    data: bytes, said: str
) -> None:
    with pytest.raises(SchemaError, match=said):
        parse(data, columns={"text": "text"})


def test_a_file_that_is_no_parquet_is_refused() -> None:
    for data in (b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"):
        with pytest.raises(RecordsError, match="t.parquet is not a Parquet file"):
            read_parquet(data, source="test", ingested_at=NOW, where="t.parquet")


@given(st.binary(max_size=60))
def test_no_garbage_is_anything_but_rejected(garbage: bytes) -> None:
    parsed = parse(HEADER + garbage)
    assert parsed.posts.num_rows + len(parsed.rejected) <= garbage.count(b"\n") + 1


@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from('ab",\n\r é'), max_size=8),
            st.sampled_from(["2024-05-01T00:00:00Z", "0", "x"]),
        ),
        max_size=8,
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_writer_of_csv_wrote_is_read_as_it_was(
    rows: list[tuple[str, str]], end: str
) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["id", "text", "created_at"])
    firsts = []
    for number, (text, time) in enumerate(rows):
        firsts.append(sink.getvalue().count("\n") + 1)
        writer.writerow([number, text, time])
    parsed = parse(sink.getvalue().encode())
    good = [bool(text.strip()) and time != "x" for text, time in rows]
    assert texts(parsed) == [
        text for (text, _), ok in zip(rows, good, strict=True) if ok
    ]
    assert [r.where for r in parsed.rejected] == [
        f"t.csv:{first}" for first, ok in zip(firsts, good, strict=True) if not ok
    ]
