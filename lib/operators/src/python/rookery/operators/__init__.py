"""What is done to a batch of posts, live and over the lake alike.

Pure functions on record batches: no files, no network, no clock. What they need of models
comes with their dependencies and is loaded once in a process, when it is first needed.
"""

from rookery.operators._compose import Operator, compose, deduplicate
from rookery.operators._cube import NEGATIVE, POSITIVE, cube, merge_cubes
from rookery.operators._enrich import enrich
from rookery.operators._errors import ModelUnavailable, OperatorsError
from rookery.operators._language import identify

__all__ = [
    "NEGATIVE",
    "POSITIVE",
    "ModelUnavailable",
    "Operator",
    "OperatorsError",
    "compose",
    "cube",
    "deduplicate",
    "enrich",
    "identify",
    "merge_cubes",
]
