"""What holds for every test of the repository."""

from hypothesis import settings

# How long an example takes depends on what else the machine does, and a test that fails
# for that tells nothing about the code: speed is shown by benchmarks.
settings.register_profile("rookery", deadline=None)
settings.load_profile("rookery")
