"""Profiles of Hypothesis for these tests."""

from hypothesis import HealthCheck, settings

# For a long run by hand; `timeout` ends it:
#   timeout 600 pytest --hypothesis-profile=fuzz -o timeout=0 -k any_text projects/matching
settings.register_profile(
    "fuzz",
    max_examples=10_000_000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
