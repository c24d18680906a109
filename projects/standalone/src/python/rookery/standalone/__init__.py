"""The whole platform on one machine, in one command: `python -m rookery.standalone`."""

from rookery.standalone._errors import (
    ComponentFailed,
    ComponentMisconfigured,
    ComponentMisused,
    ComponentRefusedData,
    NotStandalone,
    StandaloneError,
    StateUnusable,
)

__all__ = [
    "ComponentFailed",
    "ComponentMisconfigured",
    "ComponentMisused",
    "ComponentRefusedData",
    "NotStandalone",
    "StandaloneError",
    "StateUnusable",
]
