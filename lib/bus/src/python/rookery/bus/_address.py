"""Where the embedded server of a state folder listens."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

_NAME = Path("bus") / "address.json"


class Address(msgspec.Struct, frozen=True):
    """What a client needs to reach the embedded server.

    Attributes:
        url: Its URL, without credentials.
        token: Its token.
        pid: Its process id.
        store: Bytes that all streams together may take.
    """

    url: str
    token: str
    pid: int
    store: int

    @property
    def port(self) -> int | None:
        """The port it listens on."""
        return urlsplit(self.url).port


def read_address(state: Path) -> Address | None:
    """Reads the address that the server of a state folder has or had.

    Args:
        state: The state folder.

    Returns:
        The address, None if there never was a server.
    """
    try:
        data = (state / _NAME).read_bytes()
        return msgspec.json.decode(data, type=Address)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_private(path: Path, data: bytes) -> None:
    """Replaces a file that only its owner may read, all at once.

    Args:
        path: The file.
        data: What it holds from now on.
    """
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    draft.replace(path)


def write_address(state: Path, address: Address) -> None:
    """Writes the address down for the clients, readable by this user only.

    Args:
        state: The state folder.
        address: The address.
    """
    write_private(state / _NAME, msgspec.json.encode(address))
