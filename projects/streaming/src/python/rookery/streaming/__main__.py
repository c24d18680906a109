"""Runs the command line: `python -m rookery.streaming`."""

from rookery.service import cli
from rookery.streaming.cli import app

if __name__ == "__main__":
    cli(app, name="streaming")
