"""DuckDB over Arrow tables in memory: no files, no extensions, no shared state."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

_local = threading.local()
_threads = 2


def _connection() -> duckdb.DuckDBPyConnection:
    """One connection a thread: a query never waits for another one's."""
    connection: duckdb.DuckDBPyConnection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": _threads,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "enable_external_access": False,
                "preserve_insertion_order": False,
            },
        )
        _local.connection = connection
    return connection


def query(
    sql: str, tables: Mapping[str, pa.Table], parameters: Sequence[object] = ()
) -> pa.Table:
    """Runs one SELECT over tables in memory.

    Args:
        sql: The statement. Values from outside go into `parameters`, never into it.
        tables: What its names stand for.
        parameters: Values for the question marks.

    Returns:
        The result.
    """
    connection = _connection()
    for name, table in tables.items():
        connection.register(name, table)
    try:
        relation = connection.sql(sql, params=list(parameters) or None)
        result: pa.Table = relation.to_arrow_table()
        return result
    finally:
        for name in tables:
            connection.unregister(name)


def rows(
    sql: str, tables: Mapping[str, pa.Table], parameters: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """Runs one SELECT with a short result.

    Args:
        sql: The statement.
        tables: What its names stand for.
        parameters: Values for the question marks.

    Returns:
        The rows.
    """
    table = query(sql, tables, parameters)
    return list(zip(*(c.to_pylist() for c in table.columns), strict=True))
