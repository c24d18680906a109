"""Where things lie in a lake, from its root."""

import re
from datetime import date

EPOCHS = "epochs"
CLOSED = "closed"
RULES = "rules"
# Where files of a local lake are written before they get their name.
STAGING = "staging"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_id(text: str) -> bool:
    """Whether a text can be the id of an epoch or the version of a rule set."""
    return _ID.fullmatch(text) is not None


def epoch_path(n: int) -> str:
    """Path of the record of an epoch."""
    return f"{EPOCHS}/{n:08}.json"


def closed_path(n: int) -> str:
    """Path of the mark that an epoch is closed."""
    return f"{CLOSED}/{n:08}.json"


def commits_path(dataset: str, epoch: str) -> str:
    """Folder of the commits of a dataset in an epoch."""
    return f"{dataset}/commits/{epoch}"


def commit_path(dataset: str, epoch: str, first: int) -> str:
    """Path of the commit that begins at a sequence; sorts in their order."""
    return f"{commits_path(dataset, epoch)}/{first:020}.json"


def data_path(dataset: str, part: str, day: date, commit: str) -> str:
    """Path of the file that a commit has of a part."""
    return f"{dataset}/data/{part}/{day.isoformat()}/{commit}.parquet"


def rules_path(version: str) -> str:
    """Path of a rule set."""
    return f"{RULES}/{version}"
