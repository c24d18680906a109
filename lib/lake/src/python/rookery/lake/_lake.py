"""The lake: its epochs, its datasets and the rule sets it keeps."""

from collections.abc import Mapping

from rookery.lake._dataset import Dataset, datasets
from rookery.lake._epochs import Epochs, repair_hint
from rookery.lake._errors import EpochMismatch, LakeConfiguration, LakeDamaged
from rookery.lake._model import PARTS, Epoch
from rookery.lake._names import is_id, rules_path
from rookery.lake._store import Store
from rookery.lake._url import open_store


class Lake:
    """Everything that was archived, in one folder or bucket.

    Safe to use from several threads; every method may take as long as its requests.

    Args:
        store: Its files.

    Attributes:
        url: Its address.
        posts: Every accepted post.
        matches: Every matched post, and the counts of them.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = store.url
        self._epochs = Epochs(store)
        by_name = datasets(store, self._epochs)
        self.posts: Dataset = by_name["posts"]
        self.matches: Dataset = by_name["matches"]

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> "Lake":
        """Opens a lake.

        Args:
            url: `file:///folder`, which is made if it is missing, or
                `s3://bucket/prefix`, with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
                AWS_REGION and AWS_ENDPOINT_URL from the environment.
            read_only: Whether the caller only reads: the folder may then be one that
                this user cannot write, such as a volume mounted read-only.

        Returns:
            The lake, which may be empty. `LakeConfiguration` is raised if the address
            cannot be used, `LakeUnavailable` if the bucket cannot be reached.
        """
        return cls(open_store(url, read_only=read_only))

    def epochs(self) -> list[Epoch]:
        """Reads which epochs there are, oldest first."""
        return self._epochs.all()

    def current_epoch(self) -> Epoch | None:
        """Reads which epoch is open; None if the lake is empty or the last is closed."""
        return self._epochs.current()

    def open_epoch(self, epoch: str, *, starts: Mapping[str, int]) -> Epoch:
        """Opens the next epoch; of several writers that do so at once one decides.

        Args:
            epoch: Id of the logs.
            starts: First sequence of each log that belongs to it, by dataset.

        Returns:
            The epoch, with the starts it was first opened with. `EpochMismatch` is
            raised if another one is open, or this one was closed before.
        """
        return self._epochs.open(epoch, starts)

    def close_epoch(self, reason: str) -> None:
        """Closes the current epoch for good, if one is open.

        No writer, however late, can commit to it afterwards.

        Args:
            reason: Why; kept with the lake.
        """
        current = self._epochs.current()
        if current is None:
            return
        self.posts.end(current)
        self.matches.end(current)
        self._epochs.close(current, reason)

    def check_epoch(self, epoch: str, *, log_last: Mapping[str, int]) -> None:
        """Refuses a log that the current epoch does not continue.

        Args:
            epoch: Id of the logs.
            log_last: By dataset, the last sequence that was ever stored in its log.

        Raises:
            EpochMismatch: If the id is another one, or a log ends before what is
                committed of it.
        """
        current = self._epochs.current()
        if current is None:
            raise EpochMismatch(f"no epoch of {self.url} is open")
        if current.epoch != epoch:
            raise EpochMismatch(
                f"the lake {self.url} continues the log of epoch {current.epoch}, but "
                f"the log on the bus is of epoch {epoch}: {repair_hint(self.url)}"
            )
        for name in PARTS:
            watermark = (self.posts if name == "posts" else self.matches).watermark()
            if name in log_last and log_last[name] < watermark:
                raise EpochMismatch(
                    f"the log of {name} ends at sequence {log_last[name]}, but the lake "
                    f"{self.url} has it up to {watermark}: {repair_hint(self.url)}"
                )

    def put_rules(self, version: str, text: bytes) -> None:
        """Keeps a rule set.

        The one that is kept already stays, also if its rules stand in another order:
        that makes no other version.

        Args:
            version: Its version, which is a digest of its content.
            text: The rule set, one rule a line.

        Raises:
            LakeDamaged: If other rules are kept under this version.
        """
        path = self._rules_path(version)
        if self.store.create(path, text):
            return
        kept = self.store.get(path) or b""
        if kept != text and sorted(kept.split(b"\n")) != sorted(text.split(b"\n")):
            raise LakeDamaged(
                f"{self.store.where(path)} holds another text than that of version "
                f"{version}: restore it from a copy"
            )

    def get_rules(self, version: str) -> bytes:
        """Reads a rule set.

        Args:
            version: Its version.

        Returns:
            What was kept.

        Raises:
            LakeDamaged: If there is none.
        """
        path = self._rules_path(version)
        text = self.store.get(path)
        if text is None:
            raise LakeDamaged(
                f"the lake {self.url} has no rule set of version {version}"
            )
        return text

    def _rules_path(self, version: str) -> str:
        if not is_id(version):
            raise LakeConfiguration(f"{version!r} cannot be the version of a rule set")
        return rules_path(version)
