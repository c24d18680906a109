"""The target `versioned_wheel`: a wheel with compiled code, with its version.

Whoever uses compiled code uses the wheel, in tests too. With the version in it, each
commit would compile it and run all those tests again. So the `python_distribution` that
others depend on has no version of its own, and this target makes of it what is published.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from pants.backend.python.subsystems.setuptools import (
    PythonDistributionFieldSet,
)
from pants.backend.python.target_types import (
    PythonProvidesField,
)
from pants.core.goals.package import (
    BuiltPackage,
    BuiltPackageArtifact,
    PackageFieldSet,
)
from pants.engine.addresses import (
    UnparsedAddressInputs,
)
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestContents,
    FileContent,
)
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    SpecialCasedDependencies,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule
from rookery_pants.versions import ResolvedVersion, VersionRequest

from rookery.versions import Version, VersionsError, set_wheel_version


class DistributionField(SpecialCasedDependencies):
    """The wheel that is to get a version."""

    alias = "distributions"
    required = True
    help = "The `python_distribution` that is to get a version, as a list of one."


class VersionedWheel(Target):
    """The wheel of a `python_distribution`, with the version of its package."""

    alias = "versioned_wheel"
    core_fields = (*COMMON_TARGET_FIELDS, DistributionField)
    help = (
        "The wheel of a `python_distribution` that builds itself, with the version of "
        "its package. What is in the wheel is not built again."
    )


@dataclass(frozen=True)
class VersionedWheelFieldSet(PackageFieldSet):
    """What is needed of a `versioned_wheel`.

    Args:
        distributions: The wheel that is to get a version.
    """

    required_fields = (DistributionField,)

    distributions: DistributionField


@rule(desc="Give a wheel its version")
async def package_versioned_wheel(field_set: VersionedWheelFieldSet) -> BuiltPackage:
    """Packages a `versioned_wheel`.

    Args:
        field_set: The target.

    Returns:
        The wheel.

    Raises:
        VersionsError: It does not name exactly one distribution.
    """
    targets = await Get(
        Targets,
        UnparsedAddressInputs,
        field_set.distributions.to_unparsed_address_inputs(),
    )
    if len(targets) != 1 or not targets[0].has_field(PythonProvidesField):
        raise VersionsError(
            f"{field_set.address}: {field_set.distributions.alias} has to name one "
            "`python_distribution`"
        )
    provides = targets[0][PythonProvidesField].value
    resolved = await Get(ResolvedVersion, VersionRequest(provides.kwargs["name"]))
    built = await Get(
        BuiltPackage, PackageFieldSet, PythonDistributionFieldSet.create(targets[0])
    )
    versioned: list[FileContent] = []
    for file in await Get(DigestContents, Digest, built.digest):
        name, content = set_wheel_version(
            posixpath.basename(file.path),
            file.content,
            Version.parse(resolved.version),
        )
        versioned.append(FileContent(name, content))
    digest = await Get(Digest, CreateDigest(versioned))
    return BuiltPackage(
        digest, tuple(BuiltPackageArtifact(file.path) for file in versioned)
    )


def rules() -> list[Rule | UnionRule]:
    """Returns the rules of this module."""
    return [*collect_rules(), UnionRule(PackageFieldSet, VersionedWheelFieldSet)]
