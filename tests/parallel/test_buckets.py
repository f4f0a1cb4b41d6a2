import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.parallel.buckets import gradient_buckets

SIZES = st.lists(st.integers(0, 30), max_size=25)


@given(sizes=SIZES, capacity=st.integers(1, 40))
def test_every_gradient_once_from_the_last_layer_to_the_first(sizes, capacity):
    buckets = gradient_buckets(sizes, capacity)
    assert [index for bucket in buckets for index in bucket] == list(reversed(range(len(sizes))))
    assert all(buckets), "no bucket is empty"


@given(sizes=SIZES, capacity=st.integers(1, 40))
def test_a_bucket_is_as_full_as_it_can_be(sizes, capacity):
    buckets = gradient_buckets(sizes, capacity)
    loads = [sum(sizes[i] for i in bucket) for bucket in buckets]
    for place, (bucket, load) in enumerate(zip(buckets, loads, strict=True)):
        assert load <= capacity or len([i for i in bucket if sizes[i]]) == 1
        if place + 1 < len(buckets):
            assert load + sizes[buckets[place + 1][0]] > capacity


def test_by_hand():
    assert gradient_buckets([3, 2, 4], capacity=6) == [[2, 1], [0]]
    assert gradient_buckets([], capacity=6) == []
    assert gradient_buckets([5, 50, 5], capacity=6) == [[2], [1], [0]]


def test_errors():
    with pytest.raises(ValueError, match="capacity: expected a positive number, got 0"):
        gradient_buckets([1], 0)
    with pytest.raises(ValueError, match="sizes: expected 0 or more, got -1"):
        gradient_buckets([1, -1], 2)
