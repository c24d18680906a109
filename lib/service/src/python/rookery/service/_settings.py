"""What a process is told from outside: environment variables and secret files."""

import ipaddress
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rookery.service._errors import SettingsInvalid

PREFIX = "ROOKERY_"
SECRETS_VARIABLE = "ROOKERY_SECRETS"
SECRETS_FOLDER = "/run/secrets"


class Settings(BaseSettings):
    """Settings of every process, from variables that begin with `ROOKERY_`.

    A secret may also be a file named like its variable (in small letters) in the
    folder `ROOKERY_SECRETS`, by default `/run/secrets`; the environment wins.

    Attributes:
        bus: `embedded:` (the server of the state folder) or `nats://host:port`.
        bus_token: Token for the bus, where its URL holds no credentials.
        lake: `file:///folder` or `s3://bucket/prefix`; none: below the state folder.
        dask: `local:` or the address of a scheduler, `tcp://host:port`.
        state: Folder of everything that outlives a process on this machine.
        archive: Whether all accepted posts are archived or only those that matched.
        log_level: Least severe level that is written.
        log_format: `console` for people, `json` for machines; `auto` decides by
            whether stderr is a terminal.
        metrics_port: Port for /healthz, /readyz and /metrics; 0 takes any free one,
            none opens no port.
        host: Address to listen on. Beyond loopback a token is required.
        token: What a client beyond loopback has to present as bearer token.
        sentry_dsn: Where unexpected errors are reported to; none: nowhere.
        drain_seconds: How long a process may take to finish the work in hand.
        threads: Threads for Arrow, OpenMP and DuckDB in one process.

    Args:
        **values: Settings that win over the environment, by name.

    Raises:
        SettingsInvalid: A value cannot be used; the text names its variable.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    bus: str = "embedded:"
    bus_token: SecretStr | None = None
    lake: str | None = None
    dask: str = "local:"
    state: Path = Path(".rookery")
    archive: Literal["all", "matched"] = "all"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    host: str = "127.0.0.1"
    token: SecretStr | None = None
    sentry_dsn: SecretStr | None = None
    drain_seconds: float = Field(default=20.0, ge=0, le=3600)
    threads: int = Field(default=1, ge=1, le=1024)

    def __init__(self, **values: Any) -> None:
        folder = os.environ.get(SECRETS_VARIABLE, SECRETS_FOLDER)
        secrets = folder if Path(folder).is_dir() else None
        try:
            super().__init__(_secrets_dir=secrets, **values)
        except ValidationError as error:
            raise SettingsInvalid(_problems(error)) from None

    @field_validator("log_level", mode="before")
    @classmethod
    def _small_letters(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def lake_url(self) -> str:
        """The lake: the one that is set, else a folder below the state folder."""
        return self.lake or (self.state.resolve() / "lake").as_uri()

    def secrets(self) -> tuple[str, ...]:
        """The secret values themselves, so that they can be kept out of logs."""
        fields = (self.bus_token, self.token, self.sentry_dsn)
        return tuple(field.get_secret_value() for field in fields if field)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on an address.

    Args:
        host: An IP address, or a name (of which only `localhost` is loopback).

    Returns:
        True if the address belongs to loopback.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_token(settings: Settings) -> None:
    """Refuses to be open to other machines without a token.

    Args:
        settings: The settings with the address to listen on.

    Raises:
        SettingsInvalid: The address is not loopback, and no token is set.
    """
    if not settings.token and not is_loopback(settings.host):
        raise SettingsInvalid(
            f"listening on {settings.host} (ROOKERY_HOST) opens this process to other "
            "machines: set ROOKERY_TOKEN, or listen on 127.0.0.1"
        )


def _problems(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_input=False, include_context=False):
        name = PREFIX + "_".join(str(part) for part in problem["loc"][:1]).upper()
        problems.append(f"{name}: {problem['msg']}")
    return "; ".join(problems)
