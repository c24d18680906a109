"""Structured logs on stderr: for people on a terminal, as JSON anywhere else."""

import logging
import os
import re
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from rookery.service._settings import Settings

_SECRET_KEY = re.compile(r"token|password|passwd|secret|dsn|authorization|api_?key")
_USER_INFO = re.compile(r"(?<=://)[^/\s\"'@]+@")
_HIDDEN = "***"


def configure_logging(settings: Settings, *, process: str) -> None:
    """Makes structlog and the standard library's logging write one kind of line.

    Every call names what was done in a form a machine can read:
    `log.info("frame published", action="publish", sequence=17)`. Values of secret
    settings, values under telling names and credentials in URLs are never written.

    Args:
        settings: Level, format and the secrets that must not appear.
        process: Name of the process, repeated in every JSON line.
    """
    stream = sys.stderr
    console = settings.log_format == "console" or (
        settings.log_format == "auto" and stream.isatty()
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    hide = Redactor(settings.secrets())
    # A person looks at the clock on the wall.
    time = structlog.processors.TimeStamper(
        fmt="%H:%M:%S" if console else "iso", utc=not console
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        time,
        hide_values,
    ]
    rendered: list[Processor]
    if console:
        colours = _colours(stream)
        rendered = [
            structlog.dev.ConsoleRenderer(
                colors=colours,
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    else:
        shared.append(_named(process))
        rendered = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    structlog.configure(
        processors=[*shared, *rendered, hide.processor],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *rendered,
                hide.processor,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell every request and reconnect at "info"; ours is the story.
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    logging.getLogger("rookery").setLevel(level)
    logging.captureWarnings(True)


class Redactor:
    """Takes secrets out of text that is about to leave the process.

    Args:
        secrets: Values that must not appear anywhere.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first, or a secret that begins with another would show its rest.
        self._secrets = sorted((s for s in secrets if s), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Returns the text with secrets and credentials in URLs replaced."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _USER_INFO.sub(f"{_HIDDEN}@", text)

    def processor(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        """The same as the last structlog processor, on the rendered line."""
        del logger, method
        return self(str(event))


def hide_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replaces values whose names say that they are secret."""
    del logger, method
    for key in event:
        if _SECRET_KEY.search(key.lower()) and event[key] is not None:
            event[key] = _HIDDEN
    return event


def _named(process: str) -> Processor:
    def add_process(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        del logger, method
        event["process"] = process
        event["pid"] = os.getpid()
        return event

    return add_process


def _colours(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()
