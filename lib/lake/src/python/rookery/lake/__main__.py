"""`python -m rookery.lake`."""

from rookery.lake.cli import main

if __name__ == "__main__":
    main()
