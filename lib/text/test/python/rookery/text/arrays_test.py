"""Arrays as other programs make them are read, and damaged ones are refused."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pytest

from rookery.text import ColumnError, PhraseTable, entities, tokens
from rookery.text._columns import column
from rookery.text.testing import tight
from rookery.text_native import kernel

Array: TypeAlias = "pa.Array[Any]"

TEXTS = ["#a b", None, "", "日本 @c", "$D é.com", "http://e.org/ f", None, "b 🔥#g"]
TABLE = PhraseTable.build(["b", "#g"])


def read(texts: Array) -> tuple[Any, ...]:
    """Everything that the kernel finds."""
    hits, words, found = TABLE.find(texts), tokens(texts), entities(texts)
    lists = (found.hashtags, found.mentions, found.cashtags, found.urls, found.domains)
    return (
        *(values.tolist() for values in (hits.row, hits.phrase, hits.start, hits.end)),
        *(values.tolist() for values in (words.row, words.start, words.end)),
        *(values.tolist() for values in (found.places.row, found.places.start)),
        *(values.to_pylist() for values in lists),
    )


def of(
    kind: pa.DataType,
    offsets: list[int],
    data: bytes,
    *,
    validity: bytes | None = None,
    length: int | None = None,
    offset: int = 0,
) -> Array:
    """An array of exactly these buffers, none of which has a byte more."""
    wide = pa.types.is_large_string(kind)
    # Arrow looks at the offsets once, when it makes the array.
    written = np.zeros(len(offsets), np.int64 if wide else np.int32)
    buffers = [
        None if validity is None else tight(pa.py_buffer(validity)),
        pa.py_buffer(written.data),
        tight(pa.py_buffer(data)),
    ]
    if length is None:
        length = len(offsets) - 1 - offset
    texts = pa.Array.from_buffers(kind, length, buffers, offset=offset)
    written[:] = offsets
    return texts


def unaligned(texts: Array) -> Array:
    """The same array, with buffers that begin at odd addresses."""
    buffers = [
        None if buffer is None else pa.py_buffer(b"\xff" + buffer.to_pybytes()).slice(1)
        for buffer in texts.buffers()
    ]
    return pa.Array.from_buffers(texts.type, len(texts), buffers, offset=texts.offset)


KINDS = (pa.string(), pa.large_string())


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("start", range(len(TEXTS) + 1))
def test_a_slice_is_read_like_its_texts(kind: pa.DataType, start: int) -> None:
    whole = pa.array(TEXTS, kind)
    for length in range(len(TEXTS) - start + 1):
        part = whole.slice(start, length)
        assert read(part) == read(pa.array(TEXTS[start : start + length], kind))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_buffers_at_odd_addresses_are_read(kind: pa.DataType) -> None:
    texts = pa.array(TEXTS, kind)
    assert read(unaligned(texts)) == read(texts)
    assert read(unaligned(texts.slice(3, 4))) == read(texts.slice(3, 4))


def odd() -> Iterator[Any]:
    for kind in KINDS:
        cases: tuple[tuple[str, Array, list[str | None] | None], ...] = (
            ("an empty buffer of data", of(kind, [0, 0], b""), [""]),
            ("no texts", of(kind, [0], b""), []),
            ("first offset above 0", of(kind, [2, 4], b"x #b"), ["#b"]),
            ("data behind the last", of(kind, [0, 2], b"#b @c"), ["#b"]),
            ("a slice of no texts", of(kind, [0, 2], b"#b", length=0, offset=1), []),
            (
                "a null with text",
                of(kind, [0, 2, 5, 7], b"#b @c#d", validity=b"\x05"),
                ["#b", None, "#d"],
            ),
            (
                "a null with offsets that lead nowhere, in a slice",
                of(kind, [0, 2, -9, 2**30, 0, 2], b"#b", validity=b"\x11", offset=1),
                [None, None, None, "#b"],
            ),
            ("bytes that are no UTF-8", of(kind, [0, 4], b"\xe3\x81#b"), None),
        )
        for name, array, same in cases:
            yield pytest.param(array, same, id=f"{kind}: {name}")


@pytest.mark.parametrize(("array", "same"), list(odd()))
def test_an_odd_array_is_read_like_its_texts(
    array: Array, same: list[str | None] | None
) -> None:
    found = read(array)
    if same is not None:
        assert found == read(pa.array(same, pa.string()))


def test_a_column_needs_no_buffer_of_data() -> None:
    offsets = pa.py_buffer(bytes(4 * 3))
    places, columns = kernel.entities(kernel.Column(None, offsets, None, 0, 2, False))
    assert places == b""
    assert {data for _, _, data in columns} == {b""}
    with pytest.raises(ValueError, match="an offset lies outside"):
        kernel.words(
            kernel.Column(None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), None, 0, 1, False)
        )


def test_other_layouts_of_text_are_read() -> None:
    expected = read(pa.array(TEXTS))
    for texts in (
        pa.array(TEXTS, pa.string_view()),
        pa.array(TEXTS).dictionary_encode(),
        pa.array(TEXTS, pa.large_string()).dictionary_encode(),
    ):
        assert read(texts) == expected
    assert read(pa.nulls(2)) == read(pa.array([None, None], pa.string()))


def damaged() -> Iterator[Any]:
    for kind in KINDS:
        for name, offsets, data in (
            ("behind the data", [0, 9], b"#b"),
            ("before the data", [-1, 2], b"#b"),
            ("that decreases", [0, 2, 1], b"#b"),
            ("that is huge", [0, 2**31 - 1], b"#b"),
            ("behind the data, in a slice", [0, 2, 3], b"#b"),
        ):
            yield pytest.param(of(kind, offsets, data), id=f"{kind}: an offset {name}")


@pytest.mark.parametrize("array", list(damaged()))
def test_a_damaged_array_is_refused(array: Array) -> None:
    for search in (entities, tokens, TABLE.find):
        with pytest.raises(ColumnError, match="the array is damaged"):
            search(array)


@pytest.mark.parametrize(("first", "length"), [(0, 2), (1, 1), (2**40, 1), (0, 2**30)])
def test_a_buffer_of_offsets_that_is_too_short_is_refused(
    first: int, length: int
) -> None:
    offsets = pa.py_buffer(bytes(4 * 2))
    with pytest.raises(ValueError, match="the buffer of offsets is shorter"):
        kernel.Column(None, offsets, None, first, length, False)


def test_a_buffer_of_validity_that_is_too_short_is_refused() -> None:
    offsets = pa.py_buffer(bytes(4 * 10))
    with pytest.raises(ValueError, match="the buffer of validity is shorter"):
        kernel.Column(pa.py_buffer(b"\xff"), offsets, None, 0, 9, False)


def test_more_texts_than_rows_can_be_numbered_are_refused() -> None:
    with pytest.raises(OverflowError, match="2147483647 texts are too many"):
        kernel.Column(None, None, None, 0, 2**31 - 1, False)
    with pytest.raises(ValueError, match="a slice of 1 texts"):
        kernel.Column(None, None, None, 2**60, 1, False)


def test_a_text_with_more_characters_than_can_be_numbered_is_refused() -> None:
    # Its pages are never touched, and so take no memory.
    data = pa.py_buffer(np.zeros(2**31, np.uint8).data)
    offsets = pa.py_buffer(np.array([0, 2**31], np.int64).tobytes())
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, data])
    for search in (entities, tokens, TABLE.find):
        with pytest.raises(ColumnError, match="a text has more than 2 GiB: split it"):
            search(text)


@pytest.mark.parametrize("size", [1_000_000, 10_000_000])
def test_a_text_of_megabytes_is_read_to_its_end(size: int) -> None:
    unit = "é #b @c $D http://e.org/f 🔥 "
    count = size // len(unit.encode())
    texts = pa.array(["", unit * count + "b"], pa.large_string())
    found, hits = entities(texts), TABLE.find(texts)
    assert len(found.places) == 4 * count
    assert found.places.end[-1] == count * len(unit) - 3
    assert found.domains[1].as_py() == ["e.org"] * count
    assert len(hits) == count + 1
    assert hits.end[-1] == count * len(unit) + 1


@pytest.mark.parametrize("word", ["a", "日", "#a", "@a", "a.", "\u0301", "🔥"])
def test_a_text_may_be_one_long_run(word: str) -> None:
    run = word * 500_000
    texts = pa.array([run, run + " b"])
    assert TABLE.find(texts).row.tolist() == [1]
    assert len(tokens(texts)) >= 1
    assert len(entities(texts).places) < 8


class Interrupted(Exception):
    """What the handler of a signal raises here."""


def test_a_long_search_for_entities_can_be_interrupted() -> None:
    def handle(number: int, frame: object) -> None:
        raise Interrupted

    def interrupt() -> None:
        with searching:
            signal.pthread_kill(main, signal.SIGUSR1)

    main, searching = threading.get_ident(), threading.Lock()
    texts = column(pa.array(["#a " * 350_000] * 100))
    before, interval = signal.signal(signal.SIGUSR1, handle), sys.getswitchinterval()
    searching.acquire()
    other = threading.Thread(target=interrupt)
    other.start()
    try:
        # The other thread gets the GIL when the kernel releases it, and not before.
        sys.setswitchinterval(60)
        with pytest.raises(Interrupted) as caught:
            searching.release()
            kernel.entities(texts)
    finally:
        sys.setswitchinterval(interval)
        other.join()
        signal.signal(signal.SIGUSR1, before)
    files = [entry.filename for entry in traceback.extract_tb(caught.tb)]
    assert any(file.endswith("kernel.pyx") for file in files)
