"""What every process of the platform has.

Settings from the environment, structured logs, health and metrics, a stop that drains
within a deadline, exit codes, and a command line that uses them.
"""

from typing import TYPE_CHECKING

from rookery.service._lazy import lazy

if TYPE_CHECKING:
    from rookery.service._build import Build, build
    from rookery.service._children import child_environment, module_command
    from rookery.service._cli import cli
    from rookery.service._errors import (
        BuildInvalid,
        DrainTimeout,
        PortTaken,
        ServiceError,
        SettingsInvalid,
        describe,
        exit_code_of,
    )
    from rookery.service._health import Check, Health
    from rookery.service._http import (
        HEALTH_PATHS,
        health_app,
        is_authorised,
        listen,
        serve_http,
    )
    from rookery.service._logging import configure_logging
    from rookery.service._parent import is_alive
    from rookery.service._process import Process, run
    from rookery.service._settings import Settings, is_loopback, require_token
    from rookery.service._stop import Stop
    from rookery.service._threads import configure_threads, thread_environment
else:
    # Loaded when they are first used: a command line that shows its help, or a module
    # that needs one name, should not wait for the libraries behind all the others.
    __getattr__ = lazy(
        __name__,
        {
            "_build": ("Build", "build"),
            "_children": ("child_environment", "module_command"),
            "_cli": ("cli",),
            "_errors": (
                "BuildInvalid",
                "DrainTimeout",
                "PortTaken",
                "ServiceError",
                "SettingsInvalid",
                "describe",
                "exit_code_of",
            ),
            "_health": ("Check", "Health"),
            "_http": (
                "HEALTH_PATHS",
                "health_app",
                "is_authorised",
                "listen",
                "serve_http",
            ),
            "_logging": ("configure_logging",),
            "_parent": ("is_alive",),
            "_process": ("Process", "run"),
            "_settings": ("Settings", "is_loopback", "require_token"),
            "_stop": ("Stop",),
            "_threads": ("configure_threads", "thread_environment"),
        },
    )


__all__ = [
    "Build",
    "BuildInvalid",
    "Check",
    "DrainTimeout",
    "HEALTH_PATHS",
    "Health",
    "PortTaken",
    "Process",
    "ServiceError",
    "Settings",
    "SettingsInvalid",
    "Stop",
    "build",
    "child_environment",
    "cli",
    "configure_logging",
    "configure_threads",
    "describe",
    "exit_code_of",
    "health_app",
    "is_alive",
    "is_authorised",
    "is_loopback",
    "lazy",
    "listen",
    "module_command",
    "require_token",
    "run",
    "serve_http",
    "thread_environment",
]
