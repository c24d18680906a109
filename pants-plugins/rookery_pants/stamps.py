"""The target `build_stamp`: the file in which a PEX says which build it is."""

from __future__ import annotations

from pants.core.target_types import ResourceSourceField
from pants.engine.fs import CreateDigest, FileContent, Snapshot
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    GeneratedSources,
    GenerateSourcesRequest,
    OptionalSingleSourceField,
    StringField,
    Target,
)
from pants.engine.unions import UnionRule
from rookery_pants.versions import KnownHistory, ResolvedVersion, VersionRequest

from rookery.versions import build_stamp

# The top of the repository is a source root, so this is the path inside a PEX as well.
STAMP = "rookery/build.json"


class BuildStampSourceField(OptionalSingleSourceField):
    """No file: what takes part in the generation of sources needs such a field."""

    alias = "_source"
    help = "The generated file."


class BuildStampPackageField(StringField):
    """The package that the stamp is about."""

    alias = "package"
    required = True
    value: str
    help = "The package whose version the stamp says, such as `rookery-ingest`."


class BuildStamp(Target):
    """The file `rookery/build.json`, with version, commit and time of the build."""

    alias = "build_stamp"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        BuildStampSourceField,
        BuildStampPackageField,
    )
    help = (
        "The resource `rookery/build.json`, which says package, version, commit and "
        "time of a build. A dependency of what is shipped alone: whatever depends on "
        "it is built anew for every commit, and would be tested anew as well."
    )


class GenerateBuildStamp(GenerateSourcesRequest):
    """Makes a resource out of a stamp."""

    input = BuildStampSourceField
    output = ResourceSourceField
    # A file outside of the repository that changes with each commit helps no editor.
    exportable = False


@rule(desc="Write rookery/build.json")
async def generate_build_stamp(request: GenerateBuildStamp) -> GeneratedSources:
    """Writes the file of a stamp.

    Args:
        request: The target.

    Returns:
        The file.
    """
    package = request.protocol_target[BuildStampPackageField].value
    resolved = await Get(ResolvedVersion, VersionRequest(package))
    known = await Get(KnownHistory)
    content = build_stamp(package, resolved.version, known.history)
    file = FileContent(STAMP, content.encode())
    return GeneratedSources(await Get(Snapshot, CreateDigest([file])))


def rules() -> list[Rule | UnionRule]:
    """Returns the rules of this module."""
    return [*collect_rules(), UnionRule(GenerateSourcesRequest, GenerateBuildStamp)]
