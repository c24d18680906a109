"""Where an ingest stands: what the header of each of its frames carries."""

from __future__ import annotations

import msgspec

from rookery.streaming._errors import SourceChanged


class Totals(msgspec.Struct, frozen=True):
    """What was done with a source since its beginning, over all restarts.

    Attributes:
        read: Records read: those accepted, duplicates and rejected ones together.
        accepted: Posts published.
        duplicates: Posts whose id was among the last ones of the source.
        rejected: Records that are no posts.
    """

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0

    def plus(
        self, *, accepted: int = 0, duplicates: int = 0, rejected: int = 0
    ) -> Totals:
        """Adds records that were just read.

        Args:
            accepted: Posts published.
            duplicates: Posts that were known.
            rejected: Records that are no posts.

        Returns:
            The new totals.
        """
        return Totals(
            read=self.read + accepted + duplicates + rejected,
            accepted=self.accepted + accepted,
            duplicates=self.duplicates + duplicates,
            rejected=self.rejected + rejected,
        )


class IngestPosition(msgspec.Struct, frozen=True):
    """What an ingest needs in order to go on behind a frame.

    Attributes:
        source: A position of the source itself, empty for its beginning.
        totals: What was done with the source up to here.
        skip: How many posts behind the position of the source are in this frame or an
            earlier one. It is not 0 only within a batch that made several frames.
            Records that are no posts count when their batch is complete.
    """

    source: bytes = b""
    totals: Totals = Totals()
    skip: int = 0

    def encode(self) -> bytes:
        """The position as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> IngestPosition:
        """Reads what `encode` wrote.

        Args:
            data: The bytes.

        Returns:
            The position.

        Raises:
            SourceChanged: If they are none.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise SourceChanged(
                f"the last frame of this source carries no position ({error}): it was "
                "published by something else; give this source another --name"
            ) from error
