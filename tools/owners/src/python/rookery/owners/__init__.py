"""Who owns which file: OWNERS files, compiled into what GitHub understands.

Everything but the command line is the standard library of Python 3.9, so that it runs
before anything is installed and inside build tools with an interpreter of their own.
"""

from rookery.owners._check import Problem, check
from rookery.owners._codeowners import Line, Matcher, render
from rookery.owners._compile import compile_codeowners, compile_lines
from rookery.owners._errors import (
    CompileError,
    HandlesError,
    OwnersError,
    OwnersSyntaxError,
    RepositoryError,
)
from rookery.owners._model import (
    ANYONE,
    Decision,
    Grant,
    OwnersFile,
    Rule,
    Step,
)
from rookery.owners._repository import (
    HANDLES,
    TARGET,
    Repository,
    tracked,
    validate_handles,
)
from rookery.owners._suggest import Reviewer, Suggestion, suggest
from rookery.owners._tree import OwnersTree

__all__ = [
    "ANYONE",
    "HANDLES",
    "TARGET",
    "CompileError",
    "Decision",
    "Grant",
    "HandlesError",
    "Line",
    "Matcher",
    "OwnersError",
    "OwnersFile",
    "OwnersSyntaxError",
    "OwnersTree",
    "Problem",
    "Repository",
    "RepositoryError",
    "Reviewer",
    "Rule",
    "Step",
    "Suggestion",
    "check",
    "compile_codeowners",
    "compile_lines",
    "render",
    "suggest",
    "tracked",
    "validate_handles",
]
