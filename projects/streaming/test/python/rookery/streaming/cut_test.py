from hypothesis import given
from hypothesis import strategies as st

from rookery.streaming.formats import Cutter, Piece, csv_ends, line_ends


def _all(cutter: Cutter, *, final: bool) -> list[Piece]:
    pieces = []
    while (piece := cutter.cut(final=final)) is not None:
        pieces.append(piece)
    return pieces


@given(st.lists(st.binary(max_size=30), max_size=10), st.booleans())
def test_pieces_joined_are_the_stream_however_it_was_fed(
    chunks: list[bytes], is_csv: bool
) -> None:
    cutter = Cutter(csv_ends if is_csv else line_ends, max_records=2, max_record=25)
    pieces = []
    for chunk in chunks:
        cutter.feed(chunk)
        pieces += _all(cutter, final=False)
    pieces += _all(cutter, final=True)
    assert b"".join(piece.data for piece in pieces) == b"".join(chunks)


@given(st.integers(1, 5), st.integers(1, 40))
def test_the_limits_of_a_piece_hold(max_records: int, max_bytes: int) -> None:
    lines = [b"x" * n + b"\n" for n in (3, 9, 0, 5, 5, 1)]
    cutter = Cutter(line_ends, max_records=max_records, max_bytes=max_bytes)
    cutter.feed(b"".join(lines))
    for piece in _all(cutter, final=True):
        assert 1 <= piece.lines <= max_records
        assert len(piece.data) <= max_bytes or piece.lines == 1


def test_a_record_waits_until_it_is_whole() -> None:
    cutter = Cutter(csv_ends)
    cutter.feed(b'1,"a\n')
    assert cutter.cut() is None
    cutter.feed(b'b"\n2,')
    assert cutter.cut() == Piece(b'1,"a\nb"\n')
    assert cutter.cut() is None
    assert cutter.cut(final=True) == Piece(b"2,")


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    cutter = Cutter(csv_ends)
    cutter.feed(b'1,a\n2,"open\n3,c\n4,d')
    first, broken, rest, last = _all(cutter, final=True)
    assert first == Piece(b"1,a\n")
    assert broken.data == b'2,"open\n'
    assert broken.broken == "a quoted field is not closed before the end"
    assert (rest, last) == (Piece(b"3,c\n"), Piece(b"4,d"))


def test_a_quote_that_is_open_for_too_long_is_given_up_before_the_end() -> None:
    cutter = Cutter(csv_ends, max_record=20)
    cutter.feed(b'1,"open\n' + b"2,b\n" * 6)
    pieces = _all(cutter, final=False)
    assert pieces[0].broken == "the record does not end within 20 bytes"
    assert b"".join(piece.data for piece in pieces[1:]) == b"2,b\n" * 6
    assert all(piece.broken is None for piece in pieces[1:])


def test_a_line_without_end_is_reported_once_and_skipped() -> None:
    cutter = Cutter(line_ends, max_record=10)
    pieces = []
    for chunk in (b"x" * 12, b"x" * 12, b"xx\ngood\n"):
        cutter.feed(chunk)
        pieces += _all(cutter, final=False)
    reasons = [piece.broken for piece in pieces]
    assert reasons == ["the record does not end within 10 bytes", "", "", None]
    assert pieces[-1] == Piece(b"good\n")
