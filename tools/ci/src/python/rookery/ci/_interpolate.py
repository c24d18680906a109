r"""What `buildkite-agent pipeline upload` does with dollar signs in a pipeline.

`$NAME`, `${NAME}`, `${NAME-default}`, `${NAME:-default}`, `${NAME?message}`,
`${NAME:?message}`, `${NAME:offset:length}` are replaced by what the uploading job knows;
`$$` and `\$` are a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rookery.ci._errors import CiError

_VARIABLE = re.compile(
    r"""\$\$|\\\$
    |\$(?P<plain>[A-Za-z_][A-Za-z0-9_]*)
    |\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)
        (?:(?P<how>:-|:\?|-|\?)(?P<word>[^{}]*)
          |:(?P<offset>\s*-?\d+)(?::(?P<length>\d+))?)?\}
    |\$\{(?P<wrong>[^}]*)""",
    re.VERBOSE,
)


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Replaces the variables of a text as the upload does.

    Args:
        text: A string of the pipeline.
        variables: The environment of the job that uploads.

    Returns:
        The text as the server gets it. An unknown variable is an empty string; one
        that has to be set and is not, and an unknown syntax, are a `CiError`.
    """

    def replace(match: re.Match[str]) -> str:
        whole = match.group()
        if whole in ("$$", "\\$"):
            return "$"
        if match["plain"]:
            return variables.get(match["plain"], "")
        if match["wrong"] is not None:
            raise CiError(f"pipeline: {whole!r} is no variable; a dollar sign is $$")
        return _braced(match, variables)

    return _VARIABLE.sub(replace, text)


def _braced(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, how, word = match["name"], match["how"] or "", match["word"] or ""
    value = variables.get(name)
    absent = not value if how.startswith(":") else value is None
    if match["offset"] is not None:
        begin = int(match["offset"])
        rest = (value or "")[begin:]
        return rest[: int(match["length"])] if match["length"] else rest
    if how.endswith("?") and absent:
        raise CiError(f"pipeline: ${name}: {word or 'not set'}")
    if how.endswith("-") and absent:
        return word
    return value or ""


def interpolate_all(value: Any, variables: Mapping[str, str]) -> Any:
    """Replaces the variables in every string of a document.

    Args:
        value: A document as YAML gives it.
        variables: The environment of the job that uploads.

    Returns:
        A new document.
    """
    if isinstance(value, str):
        return interpolate(value, variables)
    if isinstance(value, list):
        return [interpolate_all(item, variables) for item in value]
    if isinstance(value, dict):
        return {
            interpolate_all(key, variables): interpolate_all(item, variables)
            for key, item in value.items()
        }
    return value
