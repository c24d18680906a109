"""Where to publish, and with which credentials: from the environment alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from rookery.release._errors import SettingsError

INDEX = "ROOKERY_RELEASE_INDEX"
SIMPLE = "ROOKERY_RELEASE_SIMPLE"
USER = "ROOKERY_RELEASE_USER"
PASSWORD = "ROOKERY_RELEASE_PASSWORD"  # nosec B105
REGISTRY = "ROOKERY_RELEASE_REGISTRY"
DOCKER = "ROOKERY_DOCKER"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Where to publish.

    Args:
        index: URL that wheels are uploaded to.
        simple: URL of the same index as pip reads it.
        user: Who uploads.
        password: The password; never printed.
        registry: Host and prefix of images, `registry.example:5000/rookery`.
        docker: The Docker client; the first on PATH if empty.
    """

    index: str = ""
    simple: str = ""
    user: str = ""
    password: str = dataclasses.field(default="", repr=False)
    registry: str = ""
    docker: str = ""

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Settings:
        """Reads the settings.

        Args:
            environment: The variables. `ROOKERY_RELEASE_USER_FILE` and
                `ROOKERY_RELEASE_PASSWORD_FILE` name files that hold the values.

        Returns:
            The settings; what is not set is empty.
        """
        index = _url(environment, INDEX)
        return cls(
            index=index,
            simple=_url(environment, SIMPLE) or (f"{index}simple/" if index else ""),
            user=_secret(environment, USER),
            password=_secret(environment, PASSWORD),
            registry=_registry(environment),
            docker=environment.get(DOCKER, ""),
        )

    def require_index(self) -> None:
        """Makes sure that wheels can be published.

        Raises:
            SettingsError: There is no index.
        """
        if not self.index:
            raise SettingsError(
                f"{INDEX} is not set: the URL that wheels are uploaded to, such as "
                "https://packages.example/"
            )

    def require_registry(self) -> None:
        """Makes sure that images can be published.

        Raises:
            SettingsError: There is no registry.
        """
        if not self.registry:
            raise SettingsError(
                f"{REGISTRY} is not set: the host and prefix that images are pushed to, "
                "such as registry.example:5000/rookery"
            )


def _url(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "").strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        parts, good = urlsplit(""), False
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            f"{name} holds credentials, and URLs are printed: put them into {USER} and "
            f"{PASSWORD}, or into files named by {USER}_FILE and {PASSWORD}_FILE"
        )
    if not good:
        raise SettingsError(f"{name} is no URL: {text!r}; write https://host/path/")
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/"))


def _secret(environment: Mapping[str, str], name: str) -> str:
    file = environment.get(f"{name}_FILE", "")
    if not file:
        return environment.get(name, "")
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "is no text"
        raise SettingsError(f"{name}_FILE: {file}: {said}") from error


def _registry(environment: Mapping[str, str]) -> str:
    text = environment.get(REGISTRY, "").strip().rstrip("/")
    if "://" in text or "@" in text or " " in text:
        raise SettingsError(
            f"{REGISTRY} is no host and prefix; write host:port/prefix, without a scheme "
            "and without credentials (docker login keeps those)"
        )
    return text
