"""Runs the platform: `python -m rookery.standalone`."""

from rookery.service import cli
from rookery.standalone._cli import app

if __name__ == "__main__":
    cli(app, name="standalone")
