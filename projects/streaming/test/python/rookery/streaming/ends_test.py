import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.streaming.formats import csv_ends, line_ends

_FIELDS = st.text(alphabet='ab,"\n é', max_size=6)
_ROWS = st.lists(st.lists(_FIELDS, min_size=2, max_size=4), max_size=8)


def _written(rows: list[list[str]]) -> list[bytes]:
    records = []
    for row in rows:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(row)
        records.append(out.getvalue().encode())
    return records


def _oracle(data: bytes, delimiter: bytes = b",") -> list[int]:
    """The ends of records, byte by byte."""
    ends, state = [], "start"
    for at in range(len(data)):
        byte = data[at : at + 1]
        if state == "start" and byte == b'"':
            state = "quoted"
        elif state == "quoted":
            state = "closing" if byte == b'"' else "quoted"
        elif state == "closing" and byte == b'"':
            state = "quoted"
        elif byte == b"\n":
            ends.append(at + 1)
            state = "start"
        else:
            state = "start" if byte == delimiter else "plain"
    return ends


@given(_ROWS)
def test_csv_records_end_where_their_writer_ended_them(rows: list[list[str]]) -> None:
    records = _written(rows)
    lengths = [len(record) for record in records]
    expected = [sum(lengths[: n + 1]) for n in range(len(lengths))]
    assert csv_ends(b"".join(records)).tolist() == expected


@given(st.binary(max_size=40) | st.text(alphabet='a,"\n', max_size=40).map(str.encode))
def test_any_bytes_are_cut_as_a_reader_that_goes_byte_by_byte_does(
    data: bytes,
) -> None:
    assert csv_ends(data).tolist() == _oracle(data)


@given(st.binary(max_size=60))
def test_lines_end_behind_each_line_feed(data: bytes) -> None:
    expected = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    assert line_ends(data).tolist() == expected


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (b'1,5" pipe\n2,b\n', [10, 14]),
        (b'1,"a\nb"\n2,c\n', [8, 12]),
        (b'1,"a ""b""\n"\n', [13]),
        (b'1,"never closed\n2,b\n', []),
        (b"", []),
    ],
)
def test_a_quote_counts_only_where_a_field_begins(data: bytes, ends: list[int]) -> None:
    assert csv_ends(data).tolist() == ends
