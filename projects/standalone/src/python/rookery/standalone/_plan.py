"""Which processes the platform consists of, and how each is started."""

import os
from collections.abc import Callable, Sequence

from rookery.service import (
    PortTaken,
    Settings,
    child_environment,
    listen,
    module_command,
    thread_environment,
)
from rookery.standalone._component import ChildSpec
from rookery.standalone._options import STDIN, Options

INGEST = "ingest"
SERVING = "serving"

# Stopped from the source on, so that each drains what the one before it has left.
# Serving only reads, so it goes at once.
_INGEST_STAGE, _MATCH_STAGE, _ARCHIVE_STAGE, SERVER_STAGE = range(4)
_THREADS = 1
_SERVING_THREADS = 2


class PagePort:
    """The port of the page: the given one, or the first that is free.

    Args:
        host: Address to listen on.
        port: The port; None to search one.
    """

    def __init__(self, host: str, port: int | None) -> None:
        self._host = host
        self._given = port
        self.number = self._free(port)

    def renew(self) -> int:
        """Returns the port to listen on now: the same one if it is free.

        A port that was given is never replaced by another one.
        """
        try:
            self.number = self._free(self.number)
        except PortTaken:
            if self._given is None:
                self.number = self._free(None)
        return self.number

    @property
    def url(self) -> str:
        """Where the page is."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host  # nosec
        return f"http://{f'[{host}]' if ':' in host else host}:{self.number}"

    def _free(self, port: int | None) -> int:
        with listen(self._host, port) as opened:
            number: int = opened.getsockname()[1]
            return number


def children(
    options: Options, settings: Settings, port: PagePort, *, colours: bool = False
) -> list[ChildSpec]:
    """Describes the child processes, in the order in which they are started.

    Args:
        options: What was asked for.
        settings: The platform's settings, with an absolute state folder.
        port: The port of the page.
        colours: Whether what they write is shown on a terminal.

    Returns:
        Their descriptions; the source comes last.
    """
    environment = _environment(settings, _THREADS, colours)
    serving = _environment(settings, _SERVING_THREADS, colours)

    def serve() -> list[str]:
        return module_command("rookery.serving", "--port", str(port.renew()))

    specs = [
        ChildSpec(
            name=SERVING, command=serve, environment=serving, stage=_INGEST_STAGE
        ),
        ChildSpec(
            name="archiver",
            command=_streaming("archiver", *_archiver_arguments(options)),
            environment=environment,
            stage=_ARCHIVE_STAGE,
            share=2.0,
        ),
    ]
    for number in range(1, options.workers + 1):
        name = "match" if options.workers == 1 else f"match-{number}"
        specs.append(
            ChildSpec(
                name=name,
                command=_streaming("match-worker"),
                environment=environment,
                stage=_MATCH_STAGE,
            )
        )
    specs.append(
        ChildSpec(
            name=INGEST,
            command=_streaming("ingest", *options.ingest_arguments()),
            environment=environment,
            stage=_INGEST_STAGE,
            finite=options.is_finite,
            reads_stdin=STDIN in options.sources,
        )
    )
    return specs


def _archiver_arguments(options: Options) -> list[str]:
    # Whoever waits for the end of a source should not wait for a block to fill up.
    return ["--block-seconds", "1"] if options.until_done else []


def _streaming(*arguments: str) -> Callable[[], Sequence[str]]:
    command = module_command("rookery.streaming", *arguments)
    return lambda: command


def _environment(settings: Settings, threads: int, colours: bool) -> dict[str, str]:
    return child_environment(
        {
            "ROOKERY_STATE": str(settings.state),
            "ROOKERY_BUS": "embedded:",
            "ROOKERY_LAKE": settings.lake_url,
            "ROOKERY_DRAIN_SECONDS": f"{settings.drain_seconds:g}",
            "ROOKERY_THREADS": str(threads),
            # One port cannot serve them all, so none does.
            "ROOKERY_METRICS_PORT": "",
            "ROOKERY_LOG_FORMAT": (
                "json" if settings.log_format == "json" else "console"
            ),
            "FORCE_COLOR": "1" if colours else "",
            "COLUMNS": os.environ.get("COLUMNS", "160"),
            **thread_environment(threads),
        }
    )
