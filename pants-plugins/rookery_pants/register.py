"""The entry point of the plugin: what Pants is to know."""

from __future__ import annotations

from collections.abc import Iterable

from pants.engine.rules import Rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule
from rookery_pants import stamps, versions, wheels


def rules() -> Iterable[Rule | UnionRule]:
    """Returns the rules of the plugin."""
    return [*versions.rules(), *stamps.rules(), *wheels.rules()]


def target_types() -> Iterable[type[Target]]:
    """Returns the targets that BUILD files can use."""
    return [stamps.BuildStamp, wheels.VersionedWheel]
