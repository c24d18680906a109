"""What can be set for the bus beyond its URL and its token."""

from __future__ import annotations

from pydantic import ByteSize, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rookery.bus._errors import BusConfiguration


class BusSettings(BaseSettings):
    """Settings from the environment, with the prefix `ROOKERY_BUS_`.

    Attributes:
        store: Bytes that all streams together may take ("20GB"). Unset: half of what is
            free on the disk of the embedded server, at most 32 GiB; 8 GiB elsewhere.
        replicas: On how many servers each stream is kept, where it has to be created.
    """

    model_config = SettingsConfigDict(env_prefix="ROOKERY_BUS_", frozen=True)

    store: ByteSize | None = Field(default=None, ge=1)
    replicas: int = Field(default=1, ge=1, le=5)


def load_settings() -> BusSettings:
    """Reads the settings.

    Returns:
        The settings.

    Raises:
        BusConfiguration: If a value cannot be used; names its variable.
    """
    try:
        return BusSettings()
    except ValidationError as error:
        problems = (
            f"ROOKERY_BUS_{str(part['loc'][0]).upper()}: {part['msg']}"
            for part in error.errors()
        )
        raise BusConfiguration("; ".join(problems)) from None
