"""The bottom of an IsoFLOP profile against profiles whose bottom is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.scaling.chinchilla import ChinchillaLaw, optimal_allocation
from llm_course.scaling.isoflop import isoflop_minimum


@given(
    bottom=st.floats(1e3, 1e11),
    depth=st.floats(0.01, 10),
    offsets=st.lists(st.floats(-6, 6), min_size=3, max_size=9, unique_by=lambda x: round(x, 1)),
)
def test_an_exact_parabola(bottom, depth, offsets):
    sizes = [bottom * np.exp(x) for x in offsets]
    losses = [2 + depth * x**2 for x in offsets]
    assert isoflop_minimum(sizes, losses) == pytest.approx(bottom, rel=1e-3)


def test_of_a_law_it_is_near_the_optimum():
    law, flops = ChinchillaLaw(1.0, 60.0, 300.0, 0.4, 0.45), 1e13
    best, _ = optimal_allocation(flops, law)
    sizes = best * np.geomspace(0.5, 2, 5)
    losses = [law.loss(n, flops / 6 / n) for n in sizes]
    assert isoflop_minimum(sizes, losses) == pytest.approx(best, rel=0.02)


def test_what_has_no_bottom_is_refused():
    with pytest.raises(ValueError, match="bends downwards"):
        isoflop_minimum([1.0, 10.0, 100.0], [2.0, 3.0, 2.0])
    with pytest.raises(ValueError, match="at least 3 sizes, got 2 for 3"):
        isoflop_minimum([1.0, 2.0, 3.0], [1.0, 2.0])
