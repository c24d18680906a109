"""DuckDB over Arrow tables in memory: no files, no extensions, no shared state."""

import functools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

THREADS = 2
MEMORY = "1GB"
_local = threading.local()


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
        },
    )


def _connection() -> duckdb.DuckDBPyConnection:
    """One connection a thread: names stand for tables of that thread's query only."""
    connection: duckdb.DuckDBPyConnection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = _database().cursor()
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
