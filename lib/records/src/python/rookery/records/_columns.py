"""Turns a column of whatever type into one of ours, and says which rows it cannot.

Every function takes the fast way over the whole column first. Only where Arrow refuses a
column does it go value by value, to find the rows it refuses and why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar, Union

import msgspec
import numpy as np
import pyarrow as pa

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._schemas import STRINGS, TIME

Column: TypeAlias = Union["pa.Array[Any]", "pa.ChunkedArray[Any]", Sequence[Any]]
T = TypeVar("T")

# A count above this is nobody's: a cell of the cube could not add up a million of them.
MAX_COUNT = 10**12

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Years 1 to 9999, which is what RFC 3339 and Python can write.
MIN_TIME = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
MAX_TIME = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_OFFSET_BYTES = 4
_NO_STRINGS: list[str] = []


class Unusable(ValueError):
    """A value cannot be what its column asks for; the text says why."""


@dataclass
class Converted:
    """A column of one of our types.

    Attributes:
        values: The column; null where the value was null, or is bad.
        bad: Row to the reason why its value is bad.
    """

    values: Array
    bad: dict[int, str] = field(default_factory=dict)

    def flag(self, mask: Array, reason: str | Callable[[int], str]) -> None:
        """Marks rows as bad, unless they are already.

        Args:
            mask: Boolean, true where a row is bad; null means that it is not.
            reason: Why, for all rows or by row.
        """
        for row in np.flatnonzero(mask.fill_null(False)).tolist():
            why = reason if isinstance(reason, str) else reason(row)
            self.bad.setdefault(row, why)


def to_array(column: Column) -> Array | None:
    """Makes an Arrow array of a column.

    Args:
        column: Arrow array, numpy array or sequence of Python values.

    Returns:
        The array; None if the values are of several types, or too big for any.
    """
    if isinstance(column, pa.ChunkedArray):
        whole: Array = pa.concat_arrays(column.chunks or [pa.nulls(0, column.type)])
        return whole
    if isinstance(column, pa.Array):
        return column
    try:
        return pa.array(column)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return None


def strings(column: Column, *, numbers: bool = False) -> Converted:
    """Converts to text.

    Args:
        column: Text or bytes, of any width; dictionaries of them.
        numbers: Whether whole numbers will do, as they do for ids.

    Returns:
        string; bytes that are not UTF-8 are bad.
    """
    array = to_array(column)
    if array is not None and pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if array is not None and _is_text(array.type):
        try:
            # By way of bytes, since a string column from outside is not checked.
            return Converted(array.cast(pa.binary()).cast(pa.string()))
        except pa.ArrowInvalid:
            array = array.cast(pa.large_binary())
    elif array is not None and pa.types.is_null(array.type):
        return Converted(pa.nulls(len(array), pa.string()))
    elif array is not None and numbers and pa.types.is_integer(array.type):
        return Converted(array.cast(pa.string()))

    def one(value: object) -> str:
        return _string(value, numbers)

    return _one_by_one(_python(array, column), one, pa.string())


def counts(column: Column) -> Converted:
    """Converts to whole numbers from 0 to `MAX_COUNT`.

    Args:
        column: Numbers without fractions, or their decimal digits; NaN and empty text
            mean that there is none.

    Returns:
        int64.
    """
    array = to_array(column)
    if array is not None:
        array = _integers(array)
    if array is None:
        return _one_by_one(_python(to_array(column), column), _count, pa.int64())
    converted = Converted(array)
    if (outside := outside_of(array, 0, MAX_COUNT)) is not None:
        converted.flag(outside, lambda row: _outside(array[row].as_py()))
    return converted


def times(column: Column) -> Converted:
    """Converts to times.

    Args:
        column: Times of any unit, those without a zone in UTC; microseconds since 1970;
            RFC 3339, or such microseconds, as text.

    Returns:
        timestamp[us, UTC], from year 1 to 9999.
    """
    array = to_array(column)
    if array is not None:
        array = _microseconds(array)
    if array is None:
        return _one_by_one(_python(to_array(column), column), _time, TIME)
    converted = Converted(array)
    outside = outside_of(array.view(pa.int64()), MIN_TIME, MAX_TIME)
    if outside is not None:
        converted.flag(outside, "is not in years 1 to 9999")
    return converted


def string_lists(column: Column) -> Converted:
    """Converts to lists of text.

    Args:
        column: Lists of text, or JSON arrays of strings as text; null and empty text are
            the empty list.

    Returns:
        list<string>, without nulls.
    """
    array = to_array(column)
    if array is None:
        return _one_by_one(_python(None, column), _strings, STRINGS, _NO_STRINGS)
    if pa.types.is_null(array.type):
        return Converted(empty_lists(len(array)))
    if _is_text(array.type):
        return _json_lists(array)
    if not _is_list(array.type):
        return _one_by_one(_python(array, column), _strings, STRINGS, _NO_STRINGS)
    inner = strings(pc.list_flatten(array))
    if inner.bad or inner.values.null_count:
        if _is_text(array.type.value_type):
            array = array.cast(pa.large_list(pa.large_binary()))
        return _one_by_one(_python(array, column), _strings, STRINGS, _NO_STRINGS)
    lengths = pc.list_value_length(array).fill_null(0)
    return Converted(_lists(np.asarray(lengths), inner.values))


def empty_lists(rows: int) -> Array:
    """Makes a column of empty lists.

    Args:
        rows: How many.

    Returns:
        list<string>.
    """
    return _lists(np.zeros(rows, np.int64), pa.array([], pa.string()))


def list_bytes(lists: Array) -> Array:
    """Counts the bytes that each list takes.

    Args:
        lists: list<string>, without nulls.

    Returns:
        int64, one per list: its text, and an offset for each element, so that empty ones
        are not for nothing.
    """
    counted = np.asarray(pc.list_value_length(lists), dtype=np.int64)
    lengths = np.asarray(pc.binary_length(pc.list_flatten(lists)), dtype=np.int64)
    sums = np.concatenate(([0], np.cumsum(lengths + _OFFSET_BYTES)))
    ends = np.cumsum(counted)
    return pa.array(sums[ends] - sums[ends - counted], pa.int64())


def show(value: object, width: int = 40) -> str:
    """Writes a value for a person to read.

    Args:
        value: Any value.
        width: About how many characters of it to show.

    Returns:
        One line.
    """
    # Cut before it is written: what it would be whole may be megabytes.
    if isinstance(value, str | bytes):
        value = value[: width + 1]
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a number without end"
    return text if len(text) <= width + 3 else text[:width] + "..."


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _python(array: Array | None, column: Column) -> Iterable[object]:
    """The values one by one, whatever they are."""
    if array is None or not isinstance(column, pa.Array | pa.ChunkedArray):
        return column
    return (_plain(value) for value in array)


def _plain(value: pa.Scalar[Any]) -> object:
    try:
        return value.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return value  # such as a time beyond year 9999: of no type that we take


def _one_by_one(
    values: Iterable[object],
    convert: Callable[[object], T],
    kind: pa.DataType,
    missing: T | None = None,
) -> Converted:
    good: list[T | None] = []
    bad: dict[int, str] = {}
    for row, value in enumerate(values):
        if value is None:
            good.append(missing)
            continue
        try:
            good.append(convert(value))
        except Unusable as error:
            bad[row] = str(error)
            good.append(missing)
    return Converted(pa.array(good, kind), bad)


def _string(value: object, numbers: bool) -> str:
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise Unusable(
                    f"is not valid Unicode at character {error.start}"
                ) from None
            return value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError as error:
                raise Unusable(f"is not valid UTF-8 at byte {error.start}") from None
        case bool():
            pass
        case int() if numbers and abs(value) < 2**64:
            return str(value)
        case _:
            pass
    raise Unusable(f"is not text: {show(value)}")


def _count(value: object) -> int | None:
    match value:
        case bool():
            raise Unusable(f"is not a number: {show(value)}")
        case int():
            number = value
        case float() if math.isnan(value):
            return None
        case float() if value.is_integer():
            number = int(value)
        case str() | bytes():
            text = _string(value, False).strip()
            if not text:
                return None
            if not _WHOLE.fullmatch(text):
                raise Unusable(f"is not a whole number: {show(text)}")
            number = int(text)
        case _:
            raise Unusable(f"is not a whole number: {show(value)}")
    if not 0 <= number <= MAX_COUNT:
        raise Unusable(_outside(number))
    return number


def _outside(number: object) -> str:
    return f"is not from 0 to {MAX_COUNT:,}: {show(number)}"


def _integers(array: Array) -> Array | None:
    """As int64 by way of Arrow alone; None if that cannot be."""
    kind = array.type
    try:
        if pa.types.is_null(kind) or pa.types.is_integer(kind):
            return array.cast(pa.int64())
        if pa.types.is_floating(kind):
            numbers: Array = pc.if_else(pc.is_nan(array), None, array)
            return numbers.cast(pa.int64())
        if _is_text(kind):
            text = pc.utf8_trim_whitespace(array.cast(pa.binary()).cast(pa.string()))
            return null_where_empty(text).cast(pa.int64())
    except pa.ArrowInvalid:
        pass
    return None


def outside_of(numbers: Array, least: int, most: int) -> Array | None:
    """Finds the numbers outside a range.

    Args:
        numbers: Of any integer type.
        least: Smallest one inside.
        most: Greatest one inside.

    Returns:
        Boolean, true where one is outside; None if none is, which is told sooner.
    """
    ends = pc.min_max(numbers)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low is None or least <= low <= high <= most:
        return None
    mask: Array = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
    return mask


def null_where_empty(text: Array) -> Array:
    """Makes nulls of empty strings.

    Args:
        text: string.

    Returns:
        The same column, where there are none.
    """
    lengths = pc.binary_length(text)
    if pc.min(lengths).as_py() != 0:
        return text
    nulled: Array = pc.if_else(pc.equal(lengths, 0), None, text)
    return nulled


def _time(value: object) -> int | None:
    match value:
        case bool():
            pass
        case int() if MIN_TIME <= value <= MAX_TIME:
            return value
        case float() if math.isnan(value):
            return None
        case float() if value.is_integer() and MIN_TIME <= value <= MAX_TIME:
            return int(value)
        case datetime():
            return _since_1970(value)
        case str() | bytes():
            text = _string(value, False).strip()
            return _time_of_text(text) if text else None
        case _:
            pass
    raise Unusable(f"is not a time: {show(value)}")


def _since_1970(time: datetime) -> int:
    aware = time if time.utcoffset() is not None else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def _time_of_text(text: str) -> int:
    if _WHOLE.fullmatch(text) and MIN_TIME <= int(text) <= MAX_TIME:
        # Eight digits would be a date in ISO 8601; here digits alone are microseconds.
        return int(text)
    try:
        time = _since_1970(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise Unusable(
            f"is neither RFC 3339 nor microseconds since 1970: {show(text)}"
        ) from None
    if not MIN_TIME <= time <= MAX_TIME:
        raise Unusable("is not in years 1 to 9999")
    return time


def _microseconds(array: Array) -> Array | None:
    """As timestamp[us, UTC] by way of Arrow alone; None if that cannot be."""
    kind = array.type
    try:
        if pa.types.is_timestamp(kind):
            return _rescaled(array, kind.unit)
        if pa.types.is_null(kind) or pa.types.is_integer(kind):
            return array.cast(pa.int64()).view(TIME)
        if pa.types.is_date(kind):
            return _microseconds(array.cast(pa.timestamp("ms")))
    except pa.ArrowInvalid:
        return None
    if not _is_text(kind):
        return None
    try:
        text = pc.utf8_trim_whitespace(array.cast(pa.binary()).cast(pa.string()))
    except pa.ArrowInvalid:
        return None
    return _parsed(null_where_empty(text))


def _parsed(text: Array) -> Array | None:
    for kind in (TIME, pa.timestamp("us"), pa.int64()):
        try:
            return text.cast(kind).cast(pa.int64()).view(TIME)
        except pa.ArrowInvalid:
            continue
    return None


def _rescaled(array: Array, unit: str) -> Array | None:
    number = array.cast(pa.int64())
    factor = _PER_SECOND["us"] / _PER_SECOND[unit]
    if factor > 1:
        ends = pc.min_max(number)
        limit = MAX_TIME // int(factor)
        if any(abs(ends[end].as_py() or 0) > limit for end in ("min", "max")):
            return None
        number = pc.multiply(number, int(factor))
    elif factor < 1:
        # Towards the past, before 1970 too, and exactly: numpy divides whole numbers so.
        known = np.asarray(number.fill_null(0)) // round(1 / factor)
        number = pa.array(known, pa.int64(), mask=np.asarray(array.is_null()))
    return number.view(TIME)


def _strings(value: object) -> list[str]:
    match value:
        case str() | bytes():
            text = _string(value, False)
            if not text.strip():
                return []
            try:
                return msgspec.json.decode(text, type=list[str])
            except (msgspec.MsgspecError, ValueError, RecursionError):
                raise Unusable(
                    f"is not a JSON array of strings: {show(text)}"
                ) from None
        case list() | tuple() | np.ndarray():
            return [_element(at, element) for at, element in enumerate(value)]
        case _:
            raise Unusable(f"is not a list of text: {show(value)}")


def _element(at: int, value: object) -> str:
    try:
        return _string(value, False)
    except Unusable as error:
        raise Unusable(f"element {at} {error}") from None


def _json_lists(array: Array) -> Converted:
    """Reads all JSON arrays in one go, as lines."""
    converted = strings(array)
    text = pc.utf8_trim_whitespace(converted.values.fill_null(""))
    empty = pc.equal(pc.binary_length(text), 0)
    if pc.all(empty).as_py():
        return Converted(empty_lists(len(array)), converted.bad)
    if not converted.bad and not pc.any(pc.match_substring(text, "\n")).as_py():
        lines = "\n".join(pc.if_else(empty, "[]", text).to_pylist())
        try:
            lists = msgspec.json.Decoder(list[str]).decode_lines(lines)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            lists = []
        if len(lists) == len(array):
            return Converted(pa.array(lists, STRINGS))
    return _one_by_one(_python(array, array), _strings, STRINGS, _NO_STRINGS)


def _lists(lengths: np.typing.NDArray[np.int64], values: Array) -> Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    lists: Array = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
    return lists
