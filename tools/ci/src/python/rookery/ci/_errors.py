"""What can go wrong in the tools of continuous integration."""

from __future__ import annotations

from typing import ClassVar


class CiError(Exception):
    """The check could not be made, or found something wrong."""

    exit_code: ClassVar[int] = 65
