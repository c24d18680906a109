"""`python -m rookery.serving`."""

from rookery.service import cli
from rookery.serving.cli import app

if __name__ == "__main__":
    cli(app, name="serving")
