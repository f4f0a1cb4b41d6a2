"""The power laws against numbers that the paper states, and the law of both against its limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.scaling.kaplan import (
    COMPUTE,
    PARAMETERS,
    PETAFLOP_DAY,
    TOKENS,
    PowerLaw,
    kaplan_loss,
)


@pytest.mark.parametrize("law", [PARAMETERS, TOKENS, COMPUTE])
@given(x=st.floats(1e-3, 1e15), times=st.floats(1.5, 1e4))
def test_a_factor_in_x_is_always_the_same_factor_in_the_loss(law, x, times):
    assert law.loss(x * times) / law.loss(x) == pytest.approx(times**-law.exponent, rel=1e-9)
    assert law.loss(law.scale) == 1.0


def test_doubling_the_model_lowers_the_loss_by_five_per_cent():
    """Kaplan et al., section 1.2: a factor 2**-0.076 = 0.95."""
    assert PARAMETERS.loss(2e8) / PARAMETERS.loss(1e8) == pytest.approx(0.949, abs=1e-3)


@given(n=st.floats(1e3, 1e12), d=st.floats(1e5, 1e13))
def test_the_law_of_both_has_those_of_one_as_limits(n, d):
    size, text = PowerLaw(6.4e13, 0.076), PowerLaw(1.8e13, 0.103)
    assert kaplan_loss(n, 1e300) == pytest.approx(size.loss(n), rel=1e-6)
    assert kaplan_loss(1e300, d) == pytest.approx(text.loss(d), rel=1e-6)
    assert kaplan_loss(n, d) > max(size.loss(n), text.loss(d))


@given(n=st.floats(1e4, 1e11), times=st.floats(2, 100))
def test_eight_times_the_size_wants_five_times_the_text(n, times):
    """Section 4.1: the loss's excess depends on N ** (α_N / α_D) / D alone, a power of 0.74."""

    def excess(n, d):
        return kaplan_loss(n, d) / PowerLaw(6.4e13, 0.076).loss(n)

    more = times ** (0.076 / 0.103)
    assert excess(n * times, 1e9 * more) == pytest.approx(excess(n, 1e9), rel=1e-9)
    assert math.isclose(8 ** (0.076 / 0.103), 4.6, abs_tol=0.1)


def test_units_and_errors():
    assert PETAFLOP_DAY == 8.64e19
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="expected a positive number"):
            PARAMETERS.loss(bad)
        with pytest.raises(ValueError, match="n_tokens: expected a positive number"):
            kaplan_loss(1e6, bad)
