import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

# A process whose command line, `run` and errors are the real ones; a test fills in the
# main coroutine. It says "begun" when its signal handlers are in place.
_PROGRAM = """
import asyncio, os, sys, threading, time
import typer
from rookery.service import *
from rookery.service.testing import *

app = typer.Typer()

class BadData(Exception):
    '''The data are bad.'''
    exit_code = 65

async def main(process):
    print("begun", flush=True)
{body}

@app.command()
def command(count: int = 1, drain: float = 10.0) -> int:
    return run(main, name="program", settings=Settings(drain_seconds=drain))

if __name__ == "__main__":
    cli(app, name="program")
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Writes `program.py` with the main coroutine of a test; returns its folder."""

    def write(body: str) -> Path:
        indented = textwrap.indent(textwrap.dedent(body), "    ")
        (tmp_path / "program.py").write_text(_PROGRAM.format(body=indented))
        return tmp_path

    return write
