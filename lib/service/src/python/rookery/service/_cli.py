"""Runs a command line and ends with the exit code that its errors carry."""

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

    Args:
        app: The application. A command may return its exit code, such as that of
            `run`; returning nothing is success.
    """
    try:
        result = app(standalone_mode=False)
        sys.stdout.flush()
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    except TyperException as error:
        # Imported late: Rich is only needed to show this, and slow to load.
        from typer.rich_utils import rich_format_error

        rich_format_error(error)  # type: ignore[arg-type]  # the public base of its own
        sys.exit(exit_code_of(error))
    except Exception as error:
        unexpected = not (is_expected(error) or isinstance(error, BrokenPipeError))
        if unexpected and not structlog.is_configured():
            hide = Redactor(())
            print(hide("".join(traceback.format_exception(error))), file=sys.stderr)
            structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        sys.exit(report(error))
    sys.exit(result if isinstance(result, int) else 0)
