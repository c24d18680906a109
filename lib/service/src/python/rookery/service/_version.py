"""Which version of a package is running."""

import importlib.metadata
import os

VERSION_VARIABLE = "ROOKERY_VERSION"
FROM_SOURCE = "0+source"


def version(package: str) -> str:
    """Returns the version of a package of the platform, for `--version`.

    Args:
        package: Name of the package or distribution: `rookery.bus`, `rookery-bus`.

    Returns:
        The version of the installed wheel; in an image the one it was built as
        (`ROOKERY_VERSION`); `0+source` when it runs from a checkout.
    """
    try:
        return importlib.metadata.version(package.replace(".", "-").replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return os.environ.get(VERSION_VARIABLE) or FROM_SOURCE
