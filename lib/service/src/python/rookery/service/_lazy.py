"""Names of a package that are loaded when they are first used."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def lazy(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """Makes the `__getattr__` of a package whose modules are slow to load.

    A command line that shows its help, or a module that needs one name, does not wait
    for the libraries behind all the others. The package imports the same names under
    `TYPE_CHECKING`, for type checkers and for Pants.

    Args:
        package: The package, as its `__name__` says.
        names: What each of its modules provides, by the name of the module.

    Returns:
        A function that finds a name, loads its module, and keeps it in the package.
    """
    where = {name: module for module, provided in names.items() for name in provided}

    def find(name: str) -> object:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(f"{package}.{where[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find
