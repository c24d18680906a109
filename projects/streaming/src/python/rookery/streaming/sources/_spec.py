"""From the command line to a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rookery.streaming._errors import SourceSpecError
from rookery.streaming.formats import Columns, Format
from rookery.streaming.sources._clock import Clock
from rookery.streaming.sources._files import Files, expand
from rookery.streaming.sources._source import Source
from rookery.streaming.sources._stdin import Stdin
from rookery.streaming.sources._synthetic import Synthetic

SYNTHETIC = "synthetic:"
STDIN = "-"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class SourceSpec:
    """Which source to read, and how.

    Attributes:
        sources: `synthetic:`, `-`, or any number of paths and patterns.
        name: Name of the source, None for one that follows from `sources`.
        file_format: Format of files and pipes, None to find out.
        columns: Where the columns of a post come from.
        rate: Posts per second of the synthetic source.
        limit: How many posts the synthetic source has.
        seed: Of the synthetic source.
        follow: Whether to wait for more at the end of files.
    """

    sources: Sequence[str]
    name: str | None = None
    file_format: Format | None = None
    columns: Columns = field(default_factory=Columns)
    rate: float | None = None
    limit: int | None = None
    seed: int = 1
    follow: bool = False


def source_name(sources: Sequence[str]) -> str:
    """Names a source after what it reads.

    Args:
        sources: As in `SourceSpec`.

    Returns:
        `synthetic`, `stdin`, the name of the only file, or that of the folder that all
        files have in common; in small letters, digits and `-`.
    """
    if list(sources) == [SYNTHETIC]:
        return "synthetic"
    if list(sources) == [STDIN]:
        return "stdin"
    files = expand(sources)
    folders = {file.parent for file in files}
    while len(folders) > 1:
        deepest = max(len(folder.parts) for folder in folders)
        folders = {f.parent if len(f.parts) == deepest else f for f in folders}
    single = len(files) == 1
    words = files[0].stem if single else folders.pop().name
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:64].strip("-")
    return slug or "files"


def open_source(spec: SourceSpec, *, clock: Clock | None = None) -> Source:
    """Makes the source of a command line; it is not opened yet.

    Args:
        spec: Which one.
        clock: Time.

    Returns:
        The source.

    Raises:
        SourceSpecError: If there is no such source, or an option does not fit it.
    """
    if not spec.sources:
        raise SourceSpecError("name a source: --source <file>, - or synthetic:")
    special = [s for s in spec.sources if s in (SYNTHETIC, STDIN)]
    if special and len(spec.sources) > 1:
        raise SourceSpecError(
            f"--source {special[0]} cannot be joined with others: start an ingest each"
        )
    unknown = [s for s in spec.sources if re.match(r"[a-z]{2,}:", s)]
    if unknown and unknown[0] != SYNTHETIC and not Path(unknown[0]).exists():
        raise SourceSpecError(f"--source {unknown[0]}: there is no such kind of source")
    name = spec.name or source_name(spec.sources)
    if not _NAME.fullmatch(name):
        raise SourceSpecError(
            f"--name {name!r} cannot be a source's name: up to 64 small letters, "
            "digits, - and _, beginning with a letter or digit"
        )
    is_synthetic = spec.sources[0] == SYNTHETIC
    if not is_synthetic and (spec.rate is not None or spec.limit is not None):
        raise SourceSpecError("--rate and --limit are for --source synthetic:")
    if is_synthetic:
        return Synthetic(
            name=name, seed=spec.seed, rate=spec.rate, limit=spec.limit, clock=clock
        )
    if special:
        return Stdin(
            name=name, text_format=spec.file_format, columns=spec.columns, clock=clock
        )
    return Files(
        spec.sources,
        name=name,
        file_format=spec.file_format,
        columns=spec.columns,
        follow=spec.follow,
        clock=clock,
    )
