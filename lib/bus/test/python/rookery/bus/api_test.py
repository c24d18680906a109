from datetime import UTC, datetime

import msgspec
import pytest

from rookery.bus import (
    BusConfiguration,
    BusError,
    StreamFull,
    TooLarge,
    Unavailable,
    _api,
)


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.POSTS.match.3.77.12.1714564800123456789.5",
        "$JS.ACK._.hash.POSTS.match.3.77.12.1714564800123456789.5",
        "$JS.ACK.hub.hash.POSTS.match.3.77.12.1714564800123456789.5.token",
    ],
)
def test_both_forms_of_an_answer_s_subject_are_read(reply: str) -> None:
    time = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert _api.delivered(reply) == (77, 12, 3, time)


def refused(code: int, err_code: int, description: str = "why") -> _api.Refused:
    answer = {"error": {"code": code, "err_code": err_code, "description": description}}
    with pytest.raises(_api.Refused) as caught:
        _api.read(msgspec.json.encode(answer), _api.Published)
    return caught.value


@pytest.mark.parametrize(
    ("code", "err_code", "expected"),
    [
        (503, 10077, StreamFull),
        (500, 10047, StreamFull),
        (400, 10054, TooLarge),
        (503, 10008, Unavailable),
        (500, 10074, BusConfiguration),
        (400, 10003, BusError),
    ],
)
def test_what_the_server_refuses_becomes_the_error_that_says_what_to_do(
    code: int, err_code: int, expected: type[BusError]
) -> None:
    with pytest.raises(BusError, match="publishing: why") as caught:
        refused(code, err_code).explain("publishing")
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("err_code", "description", "expected"),
    [
        (10071, "wrong last sequence: 17", 17),
        (10071, "wrong last sequence: 0", 0),
        (10164, "wrong last sequence", -1),
        (10077, "maximum bytes exceeded: 5", None),
    ],
)
def test_the_actual_last_sequence_is_read_where_the_server_says_it(
    err_code: int, description: str, expected: int | None
) -> None:
    assert refused(400, err_code, description).wrong_last == expected


def test_an_answer_with_more_than_we_know_is_read() -> None:
    data = b'{"stream": "POSTS", "seq": 5, "duplicate": false, "new": {"a": [1]}}'
    assert _api.read(data, _api.Published).seq == 5
