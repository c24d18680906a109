"""How many threads the native libraries of one process may use."""

import os

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def thread_environment(threads: int) -> dict[str, str]:
    """Returns the variables that a child needs to keep to a number of threads.

    They count only if they are set before a library is loaded, so whoever starts a
    process sets them.

    Args:
        threads: Threads for each library.

    Returns:
        Names and values for the child's environment.
    """
    # glibc gives every thread its own arena, 64 MB of address space that is seldom
    # given back; two are enough for processes that do their work in a few threads.
    return {name: str(threads) for name in _VARIABLES} | {"MALLOC_ARENA_MAX": "2"}


def configure_threads(threads: int) -> None:
    """Limits Arrow in this process, and OpenMP in what it loads or starts later.

    Args:
        threads: Threads for computing; reading and writing gets as many.
    """
    # Imported late: a command line shows its help without it.
    import pyarrow as pa

    pa.set_cpu_count(threads)
    pa.set_io_thread_count(threads)
    for name, value in thread_environment(threads).items():
        os.environ.setdefault(name, value)
