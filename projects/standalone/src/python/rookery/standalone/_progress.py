"""How the platform is doing, in one line, from the REST interface of serving."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from rookery.service import Settings

_TIMEOUT_SECONDS = 5.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What is shown of the platform's status.

    Attributes:
        read: Records read from all sources.
        accepted: Posts that went into the log.
        duplicates: Posts left out because their id was seen.
        rejected: Records that were refused.
        archived: Posts in the lake.
        matched: Posts that matched a rule.
        rate: Posts matched against the rules per second.
        matching_lag: Frames that wait to be matched.
        archiving_lag: Frames of matches that wait to be archived.
        dead: Dead letters.
    """

    read: int
    accepted: int
    duplicates: int
    rejected: int
    archived: int
    matched: int
    rate: float
    matching_lag: int
    archiving_lag: int
    dead: int

    @classmethod
    def of(cls, status: dict[str, Any]) -> "Progress":
        """Picks it from the answer of /api/status.

        Args:
            status: The decoded answer.

        Returns:
            The progress.
        """
        ingested = status["ingested"]
        return cls(
            read=ingested["read"],
            accepted=ingested["accepted"],
            duplicates=ingested["duplicates"],
            rejected=ingested["rejected"],
            archived=status["archived_posts"],
            matched=status["matched"]["posts"],
            rate=status["rates"]["posts_per_second"],
            matching_lag=status["matching"]["frames"],
            archiving_lag=status["archiving"]["frames"],
            dead=status["dead"],
        )

    def line(self, resident: int) -> str:
        """Writes it for a person.

        Args:
            resident: Resident memory of all processes, bytes.

        Returns:
            One line.
        """
        parts = [
            f"{self.rate:,.0f} posts/s",
            f"read {self.read:,}",
            f"matched {self.matched:,}",
            f"archived {self.archived:,}",
            f"lag: match {self.matching_lag:,}, archive {self.archiving_lag:,} frames",
        ]
        if self.duplicates:
            parts.append(f"duplicates {self.duplicates:,}")
        if self.dead:
            parts.append(f"dead letters {self.dead:,}")
        parts.append(f"memory {resident / 1e6:,.0f} MB")
        return " · ".join(parts)


class StatusClient:
    """Asks serving how the platform is doing.

    Args:
        url: Gives the address of the page, which may change with a restart; None while
            nothing is served.
        settings: Hold the token, where one is set.
    """

    def __init__(self, url: Callable[[], str | None], settings: Settings) -> None:
        self._url = url
        headers = {}
        if settings.token:
            headers["authorization"] = f"Bearer {settings.token.get_secret_value()}"
        # No proxy of the environment stands between two processes of one machine.
        self._client = httpx.AsyncClient(
            headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def until_ready(self) -> None:
        """Waits until serving says how the platform is doing."""
        while await self.progress() is None:
            await asyncio.sleep(_POLL_SECONDS)

    async def progress(self) -> Progress | None:
        """Returns how the platform is doing, None if serving does not say."""
        url = self._url()
        if url is None:
            return None
        try:
            answer = await self._client.get(f"{url}/api/status")
            return Progress.of(answer.json()) if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None
