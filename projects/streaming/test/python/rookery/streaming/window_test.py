from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from rookery.streaming._window import Window

_NATIVE = st.sampled_from(["1", "01", "001", "10", "a", "1a", "٣", "", "9" * 50])


@given(st.lists(st.lists(_NATIVE, max_size=6), max_size=12))
def test_an_id_is_new_unless_it_is_remembered(batches: list[list[str]]) -> None:
    window, known = Window("s", size=100), set[str]()
    for batch in batches:
        expected = []
        for native in batch:
            expected.append(native not in known)
            known.add(native)
        assert window.add([f"s:{native}" for native in batch]).tolist() == expected


@given(st.integers(1, 8), st.lists(st.integers(0, 20), max_size=60))
def test_at_least_the_last_ids_are_remembered_and_not_many_more(
    size: int, numbers: list[int]
) -> None:
    window, came = Window("s", size=size), OrderedDict[int, None]()
    for number in numbers:
        is_new = window.add([f"s:{number}"])[0]
        if number in list(came)[-size:]:
            assert not is_new
        if is_new:
            came.pop(number, None)
            came[number] = None
        assert len(window) <= 2 * size
