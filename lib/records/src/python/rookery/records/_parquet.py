"""Posts from Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet

from rookery.records._arrow import Array
from rookery.records._columns import Column
from rookery.records._errors import RecordsError
from rookery.records._naming import SNOWFLAKE, columns_wanted, reason_of
from rookery.records._parsed import Parsed
from rookery.records._posts import posts_from_columns
from rookery.records._snowflake import snowflake_times


def read_parquet(
    data: bytes,
    *,
    source: str,
    ingested_at: datetime,
    where: str = "<parquet>",
    first_row: int = 1,
    columns: Mapping[str, str] | None = None,
    time: str | None = None,
) -> Parsed:
    """Reads posts from a Parquet file.

    Args:
        data: The whole file. Columns that nobody knows are not read.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the file.
        first_row: Number of its first row.
        columns: Our name to theirs; what is not here goes by our name.
        time: Their name of `created_at`; `snowflake` if it is in the id.

    Returns:
        The posts, and the rows that are none, with their numbers. A file without a column
        that was named raises `SchemaError`.

    Raises:
        RecordsError: If it is no Parquet file, or a damaged one.
    """
    try:
        with pyarrow.parquet.ParquetFile(pa.BufferReader(data)) as file:
            wanted = wanted_columns(file, columns, time)
            table = file.read(list(wanted.values()), use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RecordsError(f"{where} is not a Parquet file: {error}") from error
    return read_rows(
        {
            ours: table.column(theirs).combine_chunks()
            for ours, theirs in wanted.items()
        },
        source=source,
        ingested_at=ingested_at,
        where=where,
        first_row=first_row,
        time=time,
    )


def wanted_columns(
    file: pyarrow.parquet.ParquetFile,
    columns: Mapping[str, str] | None,
    time: str | None,
) -> dict[str, str]:
    """Finds our columns among those of a file.

    Args:
        file: The file.
        columns: Our name to theirs.
        time: Their name of `created_at`, or `snowflake`.

    Returns:
        Our name to theirs, as the file spells it. A file without a column that was named
        raises `SchemaError`.
    """
    names = file.schema_arrow.names
    wanted = columns_wanted(names, columns, time)
    return {ours: names[at] for ours, at in wanted.items()}


def read_rows(
    read: Mapping[str, Array],
    *,
    source: str,
    ingested_at: datetime,
    where: str,
    first_row: int,
    time: str | None,
) -> Parsed:
    """Makes posts of rows of a Parquet file.

    Args:
        read: The columns, by our names.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the file.
        first_row: Number of the first of the rows.
        time: As for `wanted_columns`.

    Returns:
        The posts, and the rows that are none, with their numbers.
    """
    given: dict[str, Column] = dict(read)
    if time == SNOWFLAKE and "id" in read:
        given["created_at"] = snowflake_times(read["id"])
    parsed = posts_from_columns(
        given,
        source=source,
        ingested_at=ingested_at,
        where=lambda row: f"{where}:{first_row + row}",
    )
    rejected = tuple(
        replace(one, reason=reason_of(one.reason, time)) for one in parsed.rejected
    )
    return Parsed(parsed.posts, rejected)
