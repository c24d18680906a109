"""`python -m rookery.analytics`."""

from rookery.analytics.cli import app
from rookery.service import cli

# Worker processes import this module too, under another name.
if __name__ == "__main__":
    cli(app, name="analytics")
