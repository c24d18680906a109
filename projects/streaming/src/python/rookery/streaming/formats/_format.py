"""Which format a file is in, and how its columns are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from rookery.records import POST
from rookery.streaming._errors import SourceFormatError, SourceSpecError
from rookery.streaming._options import Format

_BY_SUFFIX = {
    ".csv": Format.CSV,
    ".json": Format.JSONL,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
}
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def detect(name: str, head: bytes) -> Format:
    """Finds out which format a file is in.

    Args:
        name: Its name; a known suffix decides.
        head: Its first bytes.

    Returns:
        The format.

    Raises:
        SourceFormatError: If neither tells, or if it has to be unpacked first.
    """
    for magic, packing in _COMPRESSED.items():
        if head.startswith(magic):
            raise SourceFormatError(
                f"{name} is packed with {packing}: unpack it, or pipe it unpacked into "
                "--source -"
            )
    if head.startswith(_UTF16):
        raise SourceFormatError(f"{name} is UTF-16: convert it to UTF-8")
    if known := _BY_SUFFIX.get(PurePath(name).suffix.lower()):
        return known
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return Format.JSONL
    raise SourceFormatError(
        f"cannot tell the format of {name}: name it with --format "
        f"{'|'.join(Format)}"
    )


@dataclass(frozen=True)
class Columns:
    """Where the columns of a post come from.

    Attributes:
        names: Our name to theirs; what is not here goes by our name.
        time: `snowflake`, where the id holds the time; the name of their column; None
            for `created_at`.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    time: str | None = None


_PAIR = re.compile(
    r"""\s*(?P<ours>\w+)\s*=\s*
        (?: '(?P<single>[^']*)' | "(?P<double>[^"]*)" | (?P<bare>[^,'"][^,]*) )
        \s*(?:,|$)""",
    re.VERBOSE,
)


def parse_columns(text: str) -> dict[str, str]:
    """Reads what `--columns` takes.

    Args:
        text: `ours=theirs` pairs with commas between them; a name with a comma in it
            stands in quotes: `id='Tweet ID',text="Tweet, Text"`.

    Returns:
        Our name to theirs.

    Raises:
        SourceSpecError: If the text is not of this form, or names a column of ours that
            does not exist or names it twice.
    """
    names: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise SourceSpecError(
                f"--columns: expected ours=theirs at column {at + 1} of {text!r}, "
                "as in id='Tweet ID',text='Tweet Text'"
            )
        ours = pair["ours"]
        if ours not in POST.names:
            known = ", ".join(POST.names)
            raise SourceSpecError(f"--columns: no column {ours!r}; there are {known}")
        if ours in names:
            raise SourceSpecError(f"--columns names {ours!r} twice")
        theirs = next(
            group
            for group in (pair["single"], pair["double"], pair["bare"])
            if group is not None
        )
        names[ours] = theirs.strip()
        at = pair.end()
    return names
