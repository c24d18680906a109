"""What every process of the platform has.

Settings from the environment, structured logs, health and metrics, a stop that drains
within a deadline, exit codes, and a command line that uses them.
"""

from rookery.service._children import child_environment, module_command
from rookery.service._cli import cli
from rookery.service._errors import (
    DrainTimeout,
    PortTaken,
    ServiceError,
    SettingsInvalid,
    describe,
    exit_code_of,
)
from rookery.service._health import Check, Health
from rookery.service._http import is_authorised, listen, serve_http
from rookery.service._logging import configure_logging
from rookery.service._parent import is_alive
from rookery.service._process import Process, run
from rookery.service._settings import Settings, is_loopback, require_token
from rookery.service._stop import Stop
from rookery.service._threads import configure_threads, thread_environment
from rookery.service._version import version

__all__ = [
    "Check",
    "DrainTimeout",
    "Health",
    "PortTaken",
    "Process",
    "ServiceError",
    "Settings",
    "SettingsInvalid",
    "Stop",
    "child_environment",
    "cli",
    "configure_logging",
    "configure_threads",
    "describe",
    "exit_code_of",
    "is_alive",
    "is_authorised",
    "is_loopback",
    "listen",
    "module_command",
    "require_token",
    "run",
    "serve_http",
    "thread_environment",
    "version",
]
