"""The optimum against a search over all splits of a budget, and the published constants."""

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from llm_course.scaling.chinchilla import PUBLISHED, ChinchillaLaw, optimal_allocation

LAWS = st.builds(
    ChinchillaLaw,
    E=st.floats(0.1, 3),
    A=st.floats(1, 1e4),
    B=st.floats(1, 1e4),
    alpha=st.floats(0.1, 1),
    beta=st.floats(0.1, 1),
)


@given(law=LAWS, flops=st.floats(1e9, 1e26))
def test_the_optimum_is_where_a_search_ends(law, flops):
    n, d = optimal_allocation(flops, law)
    assert 6 * n * d == pytest.approx(flops, rel=1e-9)
    # The slope along the budget is zero: what a larger model gains, a shorter text loses.
    assert law.alpha * law.A * n**-law.alpha == pytest.approx(
        law.beta * law.B * d**-law.beta, rel=1e-9
    )
    for share in (0.9, 0.99, 1.01, 1.1):
        assert law.loss(n * share, d / share) >= law.loss(n, d)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_optimum_against_a_numerical_search(name):
    law, flops = PUBLISHED[name], 5.76e23

    def loss(log_n: float) -> float:
        return law.loss(10**log_n, flops / 6 / 10**log_n)

    found = minimize_scalar(loss, bounds=(8, 14), method="bounded", options={"xatol": 1e-10})
    assert 10**found.x == pytest.approx(optimal_allocation(flops, law)[0], rel=1e-4)


def test_the_algebra_by_a_computer():
    n, budget, A, B, alpha, beta = sympy.symbols("n budget A B alpha beta", positive=True)
    slope = sympy.diff(A / n**alpha + B * n**beta / (budget / 6) ** beta, n)
    optimum = (alpha * A / (beta * B) * (budget / 6) ** beta) ** (1 / (alpha + beta))
    values = {A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28, budget: 5.76e23}
    assert abs(slope.subs(n, optimum).subs(values).evalf()) < 1e-18
    ours, _ = optimal_allocation(5.76e23, PUBLISHED["body of the paper"])
    assert float(optimum.subs(values)) == pytest.approx(ours, rel=1e-12)


def test_the_published_constants_disagree():
    """At the budget of Chinchilla itself: 32, 40 and 72 billion parameters."""
    found = {name: optimal_allocation(5.76e23, law)[0] / 1e9 for name, law in PUBLISHED.items()}
    assert {name: round(n) for name, n in found.items()} == {
        "body of the paper": 32,
        "source of the paper": 40,
        "refit": 72,
    }


def test_a_budget_must_be_positive():
    with pytest.raises(ValueError, match="flops: expected a positive number, got 0"):
        optimal_allocation(0, PUBLISHED["refit"])
