import pytest

from rookery.streaming import SourceFormatError, SourceSpecError
from rookery.streaming.formats import Format, detect, parse_columns


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {}),
        ("id=a,text=b", {"id": "a", "text": "b"}),
        (
            "id='Tweet ID',text=\"Tweet, Text\"",
            {"id": "Tweet ID", "text": "Tweet, Text"},
        ),
        ("id=Tweet ID , text= Tweet Text", {"id": "Tweet ID", "text": "Tweet Text"}),
    ],
)
def test_columns_are_read(text: str, names: dict[str, str]) -> None:
    assert parse_columns(text) == names


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("id", "expected ours=theirs at column 1"),
        ("id=a,,text=b", "expected ours=theirs at column 6"),
        ("id='a", "expected ours=theirs at column 1"),
        ("ident=a", "no column 'ident'; there are id, source"),
        ("id=a,id=b", "names 'id' twice"),
    ],
)
def test_what_is_wrong_with_columns_is_said(text: str, complaint: str) -> None:
    with pytest.raises(SourceSpecError, match=complaint):
        parse_columns(text)


@pytest.mark.parametrize(
    ("name", "head", "found"),
    [
        ("a.csv", b"{", Format.CSV),
        ("a.JSONL", b"", Format.JSONL),
        ("a.ndjson", b"", Format.JSONL),
        ("a.parquet", b"PAR1", Format.PARQUET),
        ("a", b"PAR1", Format.PARQUET),
        ("a.txt", b'\xef\xbb\xbf {"id"', Format.JSONL),
    ],
)
def test_the_format_is_found_out(name: str, head: bytes, found: Format) -> None:
    assert detect(name, head) is found


@pytest.mark.parametrize(
    ("name", "head", "complaint"),
    [
        ("a.txt", b"id,text", "cannot tell the format of a.txt"),
        ("a.jsonl.gz", b"\x1f\x8b\x08", "packed with gzip"),
        ("a.csv", b"\xff\xfei\x00", "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    name: str, head: bytes, complaint: str
) -> None:
    with pytest.raises(SourceFormatError, match=complaint):
        detect(name, head)
