"""A package index: what it holds, and one wheel more."""

from __future__ import annotations

import contextlib
import hashlib
import html.parser
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx
from twine.exceptions import TwineException
from twine.package import PackageFile
from twine.repository import Repository
from typing_extensions import override

from rookery.release._errors import (
    BuildError,
    CredentialsError,
    RefusedError,
    ReleaseError,
    StorageError,
    UnavailableError,
    storage_trouble,
)
from rookery.release._settings import PASSWORD, USER, Settings

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_TIMEOUT = httpx.Timeout(30.0)
_DENIED = (401, 403)


class Index:
    """A package index, as PEP 503 and PEP 691 describe it for reading.

    Args:
        settings: Where it is, and who uploads.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def files(self, project: str) -> dict[str, str]:
        """Lists what the index holds of a project.

        Args:
            project: Its name.

        Returns:
            The SHA-256 of each file, in hexadecimal digits, by file name.

        Raises:
            UnavailableError: The index does not answer, or with something else.
        """
        url = f"{self._settings.simple}{_normal(project)}/"
        response = self._get(url, accept=_ACCEPT)
        if response is None:
            return {}
        if response.headers.get("content-type", "").startswith(_JSON):
            try:
                links = read_files(response.text)
            except (ValueError, TypeError, KeyError) as error:
                raise UnavailableError(
                    f"{url}: is no list of files as PEP 691 says: {error!r}"
                ) from error
        else:
            links = read_links(response.text)
        base = str(response.url)
        return {
            name: digest or self._hash(urljoin(base, address))
            for name, address, digest in links
        }

    def upload(self, wheel: Path) -> None:
        """Uploads a wheel.

        Args:
            wheel: The file.

        Raises:
            BuildError: It is no wheel.
            StorageError: It cannot be read.
            UnavailableError: The index cannot be reached.
        """
        settings = self._settings
        try:
            package = PackageFile.from_filename(str(wheel), None)
            # What it prints about its progress says less than our own report.
            with contextlib.redirect_stdout(io.StringIO()):
                repository = Repository(
                    settings.index, settings.user, settings.password, True
                )
                response = repository.upload(package)
                repository.close()
        except TwineException as error:
            raise BuildError(f"{wheel.name}: {error}") from error
        except OSError as error:
            # Those of the HTTP library are such errors too, but without a number.
            if error.errno is not None:
                raise StorageError(storage_trouble(wheel, error)) from error
            raise UnavailableError(
                f"{settings.index}: cannot be reached: {_short(error)}"
            ) from error
        self._check(response.status_code, response.reason, wheel.name)

    def _check(self, status: int, reason: str, what: str) -> None:
        """Raises an error unless the status is 200; its class says whose fault it is."""
        if status != 200:
            raise self._refusal(status, f"{status} {reason}", what)

    def _refusal(self, status: int, said: str, what: str) -> ReleaseError:
        where = f"{self._settings.index}: {what}: {said}"
        if status in _DENIED:
            return CredentialsError(
                f"{where}: the credentials in {USER} and {PASSWORD} are not accepted"
            )
        if status == 507:
            return StorageError(f"{where}: the index is full; make room there")
        if status >= 500 or status == 429:
            return UnavailableError(f"{where}: try again later")
        if status in (400, 409):
            return RefusedError(f"{where}: the index does not take the file")
        return ReleaseError(where)

    def _get(self, url: str, accept: str = "*/*") -> httpx.Response | None:
        settings = self._settings
        auth = (settings.user, settings.password) if settings.user else None
        try:
            response = httpx.get(
                url,
                auth=auth,
                headers={"accept": accept},
                timeout=_TIMEOUT,
                follow_redirects=True,
            )
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"{url}: cannot be reached: {_short(error)}"
            ) from error
        if response.status_code == 404:
            return None
        self._check(response.status_code, response.reason_phrase, urlsplit(url).path)
        return response

    def _hash(self, url: str) -> str:
        response = self._get(url)
        return hashlib.sha256(response.content).hexdigest() if response else ""


def read_links(text: str) -> list[tuple[str, str, str]]:
    """Reads the page of a project (PEP 503).

    Args:
        text: The HTML.

    Returns:
        File name, address, and SHA-256 where the page says it, for each file.
    """
    parser = _Links()
    parser.feed(text)
    found: list[tuple[str, str, str]] = []
    for address in parser.addresses:
        bare, fragment = urldefrag(address)
        name = unquote(urlsplit(bare).path.rpartition("/")[2])
        algorithm, _, digest = fragment.partition("=")
        found.append((name, bare, digest if algorithm == "sha256" else ""))
    return found


def read_files(text: str) -> list[tuple[str, str, str]]:
    """Reads the list of a project's files (PEP 691).

    Args:
        text: The JSON.

    Returns:
        File name, address, and SHA-256 where the list says it, for each file.
    """
    return [
        (file["filename"], file["url"], file.get("hashes", {}).get("sha256", ""))
        for file in json.loads(text)["files"]
    ]


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields: Mapping[str, str | None] = dict(attrs)
        if tag == "a" and (address := fields.get("href")):
            self.addresses.append(address)


def _normal(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


def _short(error: Exception) -> str:
    """Says what the innermost error says, which is the one a person understands."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return str(error) or type(error).__name__
