"""Runs a command line and ends with the exit code that its errors carry."""

import atexit
import contextlib
import os
import sys
import traceback
from typing import NoReturn

import structlog
import typer
from typer.exceptions import Abort, TyperException

from rookery.service._errors import exit_code_of, is_expected
from rookery.service._logging import Redactor
from rookery.service._process import report


def cli(app: typer.Typer) -> NoReturn:
    """Runs a Typer application and ends the process.

    The exit code is 0, what a command returned, 64 for wrong usage, the `exit_code` of
    an error of the platform, 130 for an interrupt, and 70 for everything unexpected.
    Threads that still run are not waited for.

    Args:
        app: The application. A command may return its exit code, such as that of
            `run`; returning nothing is success.
    """
    code = _run(app)
    # Taking the interpreter apart, with Arrow and DuckDB loaded, takes several times
    # as long as a process needs to drain, and does nothing that anybody waits for.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run(app: typer.Typer) -> int:
    try:
        result = app(standalone_mode=False)
        sys.stdout.flush()
    except (Abort, KeyboardInterrupt):
        return 130
    except SystemExit as error:
        return exit_code_of(error)
    except TyperException as error:
        # Imported late: Rich is only needed to show this, and slow to load.
        from typer.rich_utils import rich_format_error

        rich_format_error(error)  # type: ignore[arg-type]  # the public base of its own
        return exit_code_of(error)
    except Exception as error:
        unexpected = not (is_expected(error) or isinstance(error, BrokenPipeError))
        if unexpected and not structlog.is_configured():
            hide = Redactor(())
            print(hide("".join(traceback.format_exception(error))), file=sys.stderr)
            structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        return report(error)
    return result if isinstance(result, int) else 0
