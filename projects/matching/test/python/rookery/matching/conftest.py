"""Profiles of Hypothesis for long runs of these tests by hand.

`thorough` has 100,000 examples for each test, `fuzz` goes on until `timeout` ends it; from
the root of the repository:

    pytest -c tools/pytest.ini --rootdir=. --timeout=0 --hypothesis-profile=thorough \\
        -k whatever_is_drawn projects/matching/test
    timeout 600 pytest -c tools/pytest.ini --rootdir=. --timeout=0 \\
        --hypothesis-profile=fuzz -k any_text projects/matching/test
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "thorough",
    max_examples=100_000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "fuzz",
    max_examples=10_000_000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
