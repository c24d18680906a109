from functools import partial

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rookery.operators import compose, cube, deduplicate, enrich, merge_cubes
from rookery.records.testing import match_batch, post_batch


def _ids(batch: pa.RecordBatch) -> list[object]:
    return batch.column("id").to_pylist()


def test_operators_are_applied_in_their_order() -> None:
    batch = match_batch([{"text": "what a great day", "language": "en"}] * 2)
    counted = compose(enrich, cube)(batch)
    assert counted.equals(cube(enrich(batch)))
    assert counted.column("positive").to_pylist() == [2]


def test_no_operators_leave_a_batch_as_it_is() -> None:
    batch = match_batch([{}])
    assert compose()(batch) is batch


def test_the_first_post_of_each_id_stays() -> None:
    batch = post_batch({"id": i, "likes": n} for n, i in enumerate("abacb"))
    assert deduplicate(batch).column("likes").to_pylist() == [0, 1, 3]


def test_posts_seen_before_are_dropped() -> None:
    batch = post_batch({"id": i} for i in "abac")
    assert _ids(deduplicate(batch, seen={"a", "x"})) == ["b", "c"]
    assert _ids(compose(partial(deduplicate, seen={"b": 1}))(batch)) == ["a", "c"]
    assert deduplicate(batch, seen=set("abc")).num_rows == 0


def test_a_batch_without_duplicates_is_not_copied() -> None:
    batch = post_batch({} for _ in range(3))
    assert deduplicate(batch) is batch
    assert deduplicate(batch, seen={"x"}) is batch


@given(st.lists(st.sampled_from("abcde")), st.frozensets(st.sampled_from("abcde")))
def test_what_is_left_is_what_going_row_by_row_leaves(
    ids: list[str], seen: frozenset[str]
) -> None:
    expected = [i for i in dict.fromkeys(ids) if i not in seen]
    batch = post_batch({"id": i} for i in ids)
    assert _ids(deduplicate(batch, seen=seen)) == expected


def test_merging_nothing_is_an_empty_cube() -> None:
    assert merge_cubes(iter([])).num_rows == 0
