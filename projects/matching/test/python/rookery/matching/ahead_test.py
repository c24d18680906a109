from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rookery.matching._commands._ahead import ahead
from rookery.service.testing import eventually


def test_items_come_in_order() -> None:
    assert list(ahead(range(100), depth=2)) == list(range(100))
    assert list(ahead(ahead(range(100)))) == list(range(100))


def test_an_error_comes_behind_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    taken = ahead(items())
    assert next(taken) == 1
    with pytest.raises(KeyError, match="two"):
        next(taken)


def test_only_so_many_items_are_made_ahead() -> None:
    made: list[int] = []
    gate = threading.Event()

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            if number == 3:
                gate.set()
            yield number

    taken = ahead(items(), depth=2)
    assert next(taken) == 0
    # One was taken, two wait, and one is in hand.
    assert gate.wait(10)
    eventually(lambda: len(made) == 4, timeout=5, message="not four")
    assert next(taken) == 1
    eventually(lambda: len(made) == 5, timeout=5, message="not five")
    taken.close()
    assert len(made) <= 6


def test_what_is_given_up_is_closed() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    taken = ahead(ahead(items()))
    assert next(taken) == 0
    taken.close()
    assert closed.wait(10)
