"""What can go wrong with the bus, one class per thing a caller does about it."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override


class BusError(Exception):
    """The bus failed."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class Unavailable(BusError):
    """The bus does not answer.

    The outcome of what was asked is unknown. Reads can be repeated; a publish with
    `expect_last` can be repeated too, since it is stored at most once.
    """

    exit_code: ClassVar[int] = 69


class ServerFailed(Unavailable):
    """The embedded server did not start, or ended by itself."""


class StreamFull(BusError):
    """The stream has reached its size limit, so nothing was stored.

    It takes messages again when its readers have moved on and it was trimmed.
    """

    exit_code: ClassVar[int] = 75


class WrongLast(BusError):
    """Somebody else has written to the subject, so nothing was stored.

    Args:
        subject: The subject, or the key.
        expected: The sequence that should have been its last.
        actual: The sequence that is its last, 0 if it has no message.
    """

    exit_code: ClassVar[int] = 75

    def __init__(self, subject: str, expected: int, actual: int) -> None:
        super(BusError, self).__init__(subject, expected, actual)
        self.subject = subject
        self.expected = expected
        self.actual = actual

    @override
    def __str__(self) -> str:
        return (
            f"the last message of {self.subject} is {self.actual}, not "
            f"{self.expected}: somebody else writes there; nothing was stored"
        )


class AlreadyStored(BusError):
    """The subject, which takes one message only, has it already.

    Args:
        subject: The subject, or the key.
        sequence: The sequence of the message that is stored.
    """

    def __init__(self, subject: str, sequence: int) -> None:
        super(BusError, self).__init__(subject, sequence)
        self.subject = subject
        self.sequence = sequence

    @override
    def __str__(self) -> str:
        return f"{self.subject} is stored already, with sequence {self.sequence}"


class TooLarge(BusError):
    """The message is larger than the server takes, so nothing was sent."""

    exit_code: ClassVar[int] = 65


class Corrupt(BusError):
    """What is stored on the bus is not what was written."""

    exit_code: ClassVar[int] = 65


class BusConfiguration(BusError):
    """The bus is set up in a way that Rookery cannot work with."""

    exit_code: ClassVar[int] = 78


class EpochChanged(BusError):
    """The log was replaced by another one while this process was connected to it.

    Sequences of the old log mean nothing in the new one, so the process has to start
    again and to compare the epoch with that of the lake.
    """

    exit_code: ClassVar[int] = 75


class StateLocked(BusError):
    """The state folder is in use by another process.

    Args:
        message: What holds it, and what to do.
        pid: The process that holds it, None if the lock does not say.
    """

    exit_code: ClassVar[int] = 75

    def __init__(self, message: str, pid: int | None = None) -> None:
        super(BusError, self).__init__(message, pid)
        self.message = message
        self.pid = pid

    @override
    def __str__(self) -> str:
        return self.message
