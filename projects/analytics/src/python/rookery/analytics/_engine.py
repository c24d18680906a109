"""The batch engine: the one module that knows Dask."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import distributed

from rookery.analytics._errors import EngineConfiguration, EngineUnavailable

# Typed in part only, which is worse here than not at all.
_dask: Any = distributed

T = TypeVar("T")
R = TypeVar("R")

_LOOPBACK: Final = "127.0.0.1"
_CONNECT_SECONDS: Final = 10
_WORKERS_SECONDS: Final = 30
# So many results are merged at once: flat trees wait for less, deep ones hold less.
_FAN_IN: Final = 8
# Tasks on their way at once. Only their results are kept, so memory does not follow the
# number of tasks.
_IN_FLIGHT: Final = 256


class Client:
    """Runs functions on Dask. Get one from `connect`.

    What it is given must be importable where the workers run: functions of modules.

    Args:
        client: The connected client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def map_reduce(
        self,
        items: Sequence[T],
        compute: Callable[[T], R],
        merge: Callable[[Sequence[R]], R],
    ) -> R:
        """Computes something of each item, and merges the results as a tree.

        Args:
            items: The items.
            compute: Makes one result of one item.
            merge: Makes one result of several, in the order of their items. It is called
                with none at all if there are no items.

        Returns:
            The merged result. An error of a task is raised as it is.
        """
        with _lost_workers():
            level = [
                self._submit(_computed, compute, merge, some)
                for some in _spread(items, _IN_FLIGHT)
            ]
            while len(level) > 1:
                level = [
                    self._submit(_merged, merge, *level[start : start + _FAN_IN])
                    for start in range(0, len(level), _FAN_IN)
                ]
            if not level:
                return merge([])
            result: R = level[0].result()
            return result

    def _submit(self, function: Callable[..., Any], *arguments: object) -> Any:
        # Not pure: the same arguments would be the same task of an earlier call.
        return self._client.submit(function, *arguments, pure=False)


def _computed(
    compute: Callable[[T], R], merge: Callable[[Sequence[R]], R], items: Sequence[T]
) -> R:
    results = [compute(items[0])]
    for item in items[1:]:
        results = [merge([*results, compute(item)])]
    return results[0]


def _merged(merge: Callable[[Sequence[R]], R], *results: R) -> R:
    return merge(results)


def _spread(items: Sequence[T], groups: int) -> list[Sequence[T]]:
    """Cuts a sequence into at most so many pieces of nearly the same length."""
    count = min(len(items), groups)
    edges = [len(items) * n // count for n in range(count + 1)] if count else [0]
    return [items[a:b] for a, b in zip(edges, edges[1:], strict=False)]


@contextlib.contextmanager
def connect(
    address: str = "local:", *, threads: int = 1, processes: int = 0
) -> Iterator[Client]:
    """Connects to Dask, or starts it on this machine.

    Args:
        address: `local:`, or the address of a scheduler, `tcp://host:port`.
        threads: Threads of each local worker.
        processes: Local worker processes; 0: the threads of this one.

    Yields:
        The client. What was started for it ends with it.

    Raises:
        EngineConfiguration: If the address cannot be used.
    """
    if address == "local:":
        with _local(threads, processes) as cluster, _connected(cluster) as client:
            yield client
    elif address.startswith(("tcp://", "tls://")):
        with _connected(address) as client:
            yield client
    else:
        raise EngineConfiguration(
            f"ROOKERY_DASK is {address!r}: expected local: or the address of a Dask "
            "scheduler, tcp://host:port"
        )


def _local(threads: int, processes: int) -> Any:
    return _dask.LocalCluster(
        processes=processes > 0,
        n_workers=processes or 1,
        threads_per_worker=threads,
        # Threads of this process talk without a socket, and must not be given a host.
        host=_LOOPBACK if processes else None,
        # Told of no address, its HTTP servers listen on all of them.
        dashboard_address=f"{_LOOPBACK}:0",
        worker_dashboard_address=f"{_LOOPBACK}:0",
        scheduler_kwargs={"dashboard": False},
    )


@contextlib.contextmanager
def _connected(to: Any) -> Iterator[Client]:
    where = to if isinstance(to, str) else "the local workers"
    try:
        client = _dask.Client(to, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"cannot reach the Dask scheduler at {where}: {_text(error)}; start it with "
            "`dask scheduler`, or correct ROOKERY_DASK"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
        except TimeoutError as error:
            raise EngineUnavailable(
                f"the Dask scheduler at {where} has no workers: start some with "
                f"`dask worker {where}`"
            ) from error
        yield Client(client)


@contextlib.contextmanager
def _lost_workers() -> Iterator[None]:
    try:
        yield
    except (
        _dask.KilledWorker,
        _dask.comm.CommClosedError,
        _dask.client.FutureCancelledError,
    ) as error:
        raise EngineUnavailable(
            f"the Dask workers were lost while they computed: {_text(error)}; if it "
            "happens again, give them more memory"
        ) from error


def _text(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
