"""What can be set for the bus beyond its URL."""

from __future__ import annotations

from pydantic import ByteSize, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BusSettings(BaseSettings):
    """Settings from the environment, with the prefix `ROOKERY_BUS_`.

    Attributes:
        token: Token of the server, if the URL holds no credentials.
        store: Bytes that all streams together may take ("20GB"). Unset: half of what is
            free on the disk of the embedded server, at most 32 GiB; 8 GiB elsewhere.
        replicas: On how many servers each stream is kept.
    """

    model_config = SettingsConfigDict(env_prefix="ROOKERY_BUS_", frozen=True)

    token: SecretStr | None = None
    store: ByteSize | None = Field(default=None, ge=1)
    replicas: int = Field(default=1, ge=1, le=5)
