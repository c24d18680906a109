"""Runs the command line: `python -m rookery.matching`."""

from rookery.matching.cli import app
from rookery.service import cli

if __name__ == "__main__":
    cli(app, name="match")
