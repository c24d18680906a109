"""What tests of every room need.

Honest skips, waiting, ports, child processes, and the examples of a README.
"""

from rookery.service.testing._examples import (
    examples,
    readme,
    run_example,
    run_example_alone,
)
from rookery.service.testing._processes import (
    Child,
    free_port,
    run_module,
    start_module,
)
from rookery.service.testing._require import Need, require
from rookery.service.testing._waiting import eventually, eventually_async

__all__ = [
    "Child",
    "Need",
    "eventually",
    "eventually_async",
    "examples",
    "free_port",
    "readme",
    "require",
    "run_example",
    "run_example_alone",
    "run_module",
    "start_module",
]
