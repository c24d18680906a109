"""Parts as Parquet: written whole, read by column and by time."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from rookery.lake._errors import BlockRefused
from rookery.lake._model import PARTS, DataFile
from rookery.records import counted_at

_ROWS_PER_GROUP: Final = 64 * 1024
# Few different values. Texts and ids would only grow a dictionary and then give it up.
_DICTIONARY: Final = (
    *("source", "language", "detected_language", "rule", "author", "author_name"),
    *("rules.list.element", "spans.list.element.rule", "hashtags.list.element"),
    *("mentions.list.element", "domains.list.element"),
)
_FORMAT: Final = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True)
)


def conform(dataset: str, parts: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Checks that tables are what a dataset keeps.

    Args:
        dataset: Name of the dataset.
        parts: The tables, by part.

    Returns:
        Every part of the dataset, in its order; one that is not given is empty.

    Raises:
        BlockRefused: If a part is unknown, or its columns are others.
    """
    schemas = PARTS[dataset]
    if unknown := parts.keys() - schemas.keys():
        raise BlockRefused(
            f"the dataset {dataset} has no part {', '.join(sorted(unknown))}: it has "
            f"{', '.join(schemas)}"
        )
    conformed = {}
    for part, schema in schemas.items():
        table = parts[part] if part in parts else schema.empty_table()
        if not table.schema.equals(schema):
            raise BlockRefused(
                f"the part {part} of {dataset} has the columns "
                f"[{_columns(table.schema)}], not [{_columns(schema)}]"
            )
        conformed[part] = table
    return conformed


def _columns(schema: pa.Schema) -> str:
    return ", ".join(
        f"{field.name} {field.type}{'' if field.nullable else ' not null'}"
        for field in schema
    )


def event_range(posts: pa.Table) -> tuple[datetime, datetime] | None:
    """Finds the least and greatest time that posts are counted under.

    Args:
        posts: A table of posts or matches.

    Returns:
        Both times, None if there are no posts.
    """
    batches = [counted_at(batch) for batch in posts.to_batches() if batch.num_rows]
    if not batches:
        return None
    times = pa.chunked_array(batches)
    return pc.min(times).as_py(), pc.max(times).as_py()


def ingest_day(posts: pa.Table, *, default: datetime) -> date:
    """Finds the day that a block's files lie under: that of its earliest ingest.

    Args:
        posts: A table of posts or matches.
        default: What counts if there are no posts.

    Returns:
        The day, in UTC.
    """
    least: datetime | None = pc.min(posts["ingested_at"]).as_py()
    return (least or default).astimezone(UTC).date()


def write(part: str, path: str, table: pa.Table) -> tuple[DataFile, bytes]:
    """Encodes a table.

    Args:
        part: What it is.
        path: Where it will lie.
        table: The table.

    Returns:
        What a commit says about the file, and its bytes.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=_ROWS_PER_GROUP,
        # The stubs know only the bool.
        use_dictionary=list(_DICTIONARY),  # type: ignore[arg-type]
    )
    data = sink.getvalue().to_pybytes()
    digest = hashlib.sha256(data).hexdigest()
    return DataFile(part, path, table.num_rows, len(data), digest), data


def opened(
    files: Sequence[DataFile], schema: pa.Schema, filesystem: pafs.FileSystem
) -> ds.Dataset:
    """Makes a dataset of files, opening none of them.

    Args:
        files: The files, in the order of their rows.
        schema: The columns; one that an old file lacks is null there.
        filesystem: What they are read from.

    Returns:
        The dataset.
    """
    if not files:
        return ds.dataset(schema.empty_table())
    fragments = [
        _FORMAT.make_fragment(file.path, filesystem, file_size=file.size)
        for file in files
    ]
    return ds.FileSystemDataset(fragments, schema, _FORMAT, filesystem)


def between(
    part: str, start: datetime | None, end: datetime | None
) -> ds.Expression | None:
    """Makes the condition that a row is counted in a stretch of time.

    Args:
        part: Name of the part.
        start: First moment; None for no limit.
        end: First moment after it; None for no limit.

    Returns:
        The condition, None if there is no limit.
    """
    if start is None and end is None:
        return None
    if part == "cube":
        return _within("minute", start, end)
    # Two plain ranges, unlike one over a computed column, skip row groups.
    suspect = ds.field("time_suspect")
    return (suspect & _within("ingested_at", start, end)) | (
        ~suspect & _within("created_at", start, end)
    )


def _within(column: str, start: datetime | None, end: datetime | None) -> ds.Expression:
    condition = pc.scalar(True)
    if start is not None:
        condition = condition & (ds.field(column) >= _moment(start))
    if end is not None:
        condition = condition & (ds.field(column) < _moment(end))
    return condition


def _moment(at: datetime) -> ds.Expression:
    moment = pa.scalar(at, pa.timestamp("us", "UTC"))
    return pc.scalar(moment)  # type: ignore[arg-type]  # the stubs lack Arrow scalars


def overlaps(
    first: datetime | None,
    last: datetime | None,
    start: datetime | None,
    end: datetime | None,
) -> bool:
    """Whether a commit can have rows in a stretch of time.

    Args:
        first: Its least event time; None if it has no posts.
        last: Its greatest.
        start: First moment of the stretch; None for no limit.
        end: First moment after it; None for no limit.

    Returns:
        Whether it can.
    """
    if first is None or last is None:
        return start is None and end is None
    # A row of the cube is counted under the minute before.
    first -= timedelta(seconds=first.second, microseconds=first.microsecond)
    return (start is None or last >= start) and (end is None or first < end)
