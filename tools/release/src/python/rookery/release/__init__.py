"""Releases: which wheels and images are published, why, and their publication.

What happens to each package is decided by plain functions out of what Git, Pants, the
index and the registry say; a release then builds with Pants, uploads with twine and
pushes with the Docker client. The versions come from `rookery.versions`.
"""

from rookery.release._build import build, check_wheel, find_wheel, image_tag, peek
from rookery.release._catalog import Catalog, Package, read_catalog
from rookery.release._changes import (
    Change,
    Commit,
    changed_inputs,
    changes_between,
    commits_between,
    notes,
    read_changes,
    read_commits,
)
from rookery.release._check import check_folder
from rookery.release._errors import (
    BuildError,
    CredentialsError,
    RefusedError,
    ReleaseError,
    SettingsError,
    StorageError,
    UnavailableError,
)
from rookery.release._images import Docker, same_content
from rookery.release._index import Index, read_files, read_links
from rookery.release._plan import Entry, Plan, Request, make_plan
from rookery.release._publish import Outcome, Publisher, summary
from rookery.release._settings import Settings
from rookery.release._verify import verify

__all__ = [
    "BuildError",
    "Catalog",
    "Change",
    "Commit",
    "CredentialsError",
    "Docker",
    "Entry",
    "Index",
    "Outcome",
    "Package",
    "Plan",
    "Publisher",
    "RefusedError",
    "ReleaseError",
    "Request",
    "Settings",
    "SettingsError",
    "StorageError",
    "UnavailableError",
    "build",
    "changed_inputs",
    "changes_between",
    "check_folder",
    "check_wheel",
    "commits_between",
    "find_wheel",
    "image_tag",
    "make_plan",
    "notes",
    "peek",
    "read_catalog",
    "read_changes",
    "read_commits",
    "read_files",
    "read_links",
    "same_content",
    "summary",
    "verify",
]
