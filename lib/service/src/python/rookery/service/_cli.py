"""Runs a command line and ends with the exit code that its errors carry."""

import atexit
import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer
import typer.main
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from rookery.service._build import build
from rookery.service._errors import exit_code_of, is_expected


def cli(app: typer.Typer, *, name: str, command: str | None = None) -> NoReturn:
    """Runs a Typer application and ends the process.

    The exit code is 0, what a command returned, 64 for wrong usage, the `exit_code` of
    an error of the platform, 130 for an interrupt, and 70 for everything unexpected.
    Threads that still run are not waited for. The root gets an option `--version`.

    Args:
        app: The application. A command may return its exit code, such as that of
            `run`; returning nothing is success.
        name: What a person calls the program, in its help, also where it runs as a
            module or out of a PEX. Its wheel, if it has one, is `rookery-<name>`.
        command: The one command of the application that is run, as if there were no
            others; None: all of them.
    """
    code = _run(app, name, command)
    # Taking the interpreter apart, with Arrow and DuckDB loaded, takes several times
    # as long as a process needs to drain, and does nothing that anybody waits for.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run(app: typer.Typer, name: str, command: str | None) -> int:
    try:
        main = _program(app, name, command)
        result = main(prog_name=name, standalone_mode=False)
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
        return _report(error)
    return result if isinstance(result, int) else 0


def _program(app: typer.Typer, name: str, command: str | None) -> Callable[..., object]:
    root = typer.main.get_command(app)
    if command is not None:
        if not isinstance(root, TyperGroup):
            raise TypeError(f"{name} has no commands, so {command!r} is none of them")
        root = root.commands[command]

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{name} {build(f'rookery-{name}')}")
            raise typer.Exit

    # Typer makes options from the parameters of a command, and in no other public way.
    donor = typer.Typer(add_completion=False)

    @donor.command()
    def _options(
        version: Annotated[
            bool,
            typer.Option(
                "--version",
                callback=show,
                is_eager=True,
                help="Show the version and exit.",
            ),
        ] = False,
    ) -> None:
        del version

    for option in typer.main.get_command(donor).params:
        option.expose_value = False
        root.params.append(option)
    return root.main


def _report(error: Exception) -> int:
    # Imported late: what a process needs is slow to load, and `--help` needs none of it.
    import structlog

    from rookery.service._logging import Redactor
    from rookery.service._process import report

    unexpected = not (is_expected(error) or isinstance(error, BrokenPipeError))
    if unexpected and not structlog.is_configured():
        hide = Redactor(())
        print(hide("".join(traceback.format_exception(error))), file=sys.stderr)
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    return report(error)
