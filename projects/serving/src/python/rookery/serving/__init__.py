"""Dashboard and REST interface: exact answers from the lake and the log behind it.

The process is `python -m rookery.serving`; what it answers under /api is described at
/docs and in /openapi.json.
"""

from rookery.serving._errors import FilterInvalid, NotReady, SearchInvalid, ServingError

__all__ = ["FilterInvalid", "NotReady", "SearchInvalid", "ServingError"]
