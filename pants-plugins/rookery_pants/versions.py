"""Sets the version of every wheel, from `ROOKERY_VERSIONS` or else from Git."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from pants.backend.python.util_rules.package_dists import (
    SetupKwargs,
    SetupKwargsRequest,
)
from pants.base.build_environment import get_buildroot
from pants.engine.engine_aware import EngineAwareReturnType
from pants.engine.env_vars import (
    EnvironmentVars,
    EnvironmentVarsRequest,
)
from pants.engine.rules import (
    Get,
    Rule,
    collect_rules,
    rule,
)
from pants.engine.target import Target
from pants.engine.unions import UnionRule

from rookery.versions import (
    FROM_SOURCE,
    VERSIONS_VARIABLE,
    History,
    RepositoryError,
    package_version,
    read_history,
    read_versions,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownHistory(EngineAwareReturnType):
    """The history of the checkout, or why it is not known.

    Args:
        history: The history.
        missing: Why there is none.
    """

    history: Optional[History]
    missing: str = ""

    def cacheable(self) -> bool:
        """Says that each run of Pants asks Git again."""
        return False


@dataclass(frozen=True)
class VersionRequest:
    """Asks for the version of a package.

    Args:
        package: Its name, such as `rookery-text`.
    """

    package: str


@dataclass(frozen=True)
class ResolvedVersion:
    """The version of a package.

    Args:
        version: In its normal form.
    """

    version: str


@rule(desc="Ask Git for versions")
async def find_history() -> KnownHistory:
    """Asks Git, in each run of Pants anew."""
    try:
        return KnownHistory(read_history(Path(get_buildroot())))
    except RepositoryError as error:
        return KnownHistory(None, str(error))


@rule(desc="Work out the version of a package")
async def resolve_version(request: VersionRequest) -> ResolvedVersion:
    """Works out the version of a package.

    Args:
        request: Which package.

    Returns:
        The version that `ROOKERY_VERSIONS` sets, else the one by Git; where Git knows
        nothing, `0+source`, with a warning.
    """
    environment = await Get(
        EnvironmentVars, EnvironmentVarsRequest([VERSIONS_VARIABLE])
    )
    versions = read_versions(environment.get(VERSIONS_VARIABLE, ""))
    if request.package in versions:
        return ResolvedVersion(versions[request.package])
    known = await Get(KnownHistory)
    if known.history is None:
        logger.warning(
            f"{request.package} gets the version {FROM_SOURCE}: {known.missing}; or "
            f'set the version: {VERSIONS_VARIABLE}=\'{{"{request.package}": "1.4.2"}}\''
        )
        return ResolvedVersion(FROM_SOURCE)
    return ResolvedVersion(str(package_version(request.package, known.history).version))


class VersionedSetupKwargs(SetupKwargsRequest):
    """Applies to every wheel of the repository."""

    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        """Says that the version is set here, whatever the package.

        Args:
            target: A target with an artifact.

        Returns:
            True.
        """
        return True


@rule
async def set_version(request: VersionedSetupKwargs) -> SetupKwargs:
    """Sets the version of a wheel, and thereby what other wheels require of it.

    Args:
        request: The target.

    Returns:
        What its BUILD file says, with the version.
    """
    kwargs = request.explicit_kwargs
    resolved = await Get(ResolvedVersion, VersionRequest(kwargs["name"]))
    return SetupKwargs(
        {**kwargs, "version": resolved.version}, address=request.target.address
    )


def rules() -> list[Rule | UnionRule]:
    """Returns the rules of this module."""
    return [*collect_rules(), UnionRule(SetupKwargsRequest, VersionedSetupKwargs)]
