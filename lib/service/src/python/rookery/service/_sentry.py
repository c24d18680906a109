"""Reports of unexpected errors, only where a DSN is set.

The client is imported only then: it costs every process memory and time to start.
"""

from rookery.service._build import Build
from rookery.service._settings import Settings

_FLUSH_SECONDS = 2.0


def start(settings: Settings, *, process: str, build: Build) -> None:
    """Starts reporting if a DSN is set. Neither local variables nor bodies are sent.

    Args:
        settings: Holds the DSN.
        process: Name of the process, a tag of each report.
        build: What is running, the release of each report.
    """
    if settings.sentry_dsn is None:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=f"rookery-{process}@{build.version}",
        # A local variable or a request body may hold a token or somebody's post.
        include_local_variables=False,
        max_request_body_size="never",
        send_default_pii=False,
        auto_enabling_integrations=False,
        shutdown_timeout=_FLUSH_SECONDS,
    )
    sentry_sdk.set_tag("process", process)


def capture(error: BaseException, settings: Settings | None) -> None:
    """Reports an error and waits a moment until it is sent; nothing without a DSN.

    Args:
        error: The unexpected error.
        settings: Hold the DSN.
    """
    if settings is None or settings.sentry_dsn is None:
        return
    import sentry_sdk

    sentry_sdk.capture_exception(error)
    sentry_sdk.flush(_FLUSH_SECONDS)
