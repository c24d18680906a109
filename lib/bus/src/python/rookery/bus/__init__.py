"""The log, the groups that share it and the values that are watched, on JetStream.

`EmbeddedServer` runs a server for one machine; `connect` gives a `Bus`, with the embedded
server and with a cluster alike.
"""

from rookery.bus._bus import Bus, connect
from rookery.bus._consumer import Delivery, keep_alive
from rookery.bus._dead import DeadLetter, bury, decode_dead, encode_dead
from rookery.bus._errors import (
    AlreadyStored,
    BusConfiguration,
    BusError,
    Corrupt,
    EpochChanged,
    ServerFailed,
    StateLocked,
    StreamFull,
    TooLarge,
    Unavailable,
    WrongLast,
)
from rookery.bus._messages import ConsumerState, Message, StreamState, Value
from rookery.bus._objects import Objects
from rookery.bus._server import EmbeddedServer
from rookery.bus._settings import BusSettings
from rookery.bus._streams import DEAD, MATCHES, POSTS
from rookery.bus._values import Values

__all__ = [
    "DEAD",
    "MATCHES",
    "POSTS",
    "AlreadyStored",
    "Bus",
    "BusConfiguration",
    "BusError",
    "BusSettings",
    "ConsumerState",
    "Corrupt",
    "DeadLetter",
    "Delivery",
    "EmbeddedServer",
    "EpochChanged",
    "Message",
    "Objects",
    "ServerFailed",
    "StateLocked",
    "StreamFull",
    "StreamState",
    "TooLarge",
    "Unavailable",
    "Value",
    "Values",
    "WrongLast",
    "bury",
    "connect",
    "decode_dead",
    "encode_dead",
    "keep_alive",
]
