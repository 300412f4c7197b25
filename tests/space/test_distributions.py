"""The three distributions against SciPy and exact formulas.

Every statistical test here fails by chance with probability at most 1e-6; the seeds are fixed,
so it fails always or never.
"""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from sparktuner.errors import BadSearchSpace
from sparktuner.space import Categorical, Distribution, FloatArray, Numeric, RandInt
from tests.space.strategies import categories, distributions, integers, numbers

FALSE_ALARM = 1e-6
LOG = math.log

CONTINUOUS = {
    "uniform": (Numeric("uniform", -2.0, 3.0), stats.uniform(-2, 5)),
    "loguniform": (
        Numeric("uniform", LOG(1e-4), LOG(10), log=True),
        stats.loguniform(1e-4, 10),
    ),
    "normal": (Numeric("normal", 1.0, 2.0), stats.norm(1, 2)),
    "lognormal": (
        Numeric("normal", 0.5, 0.7, log=True),
        stats.lognorm(0.7, scale=math.exp(0.5)),
    ),
}
# name -> distribution of the values, and that of what is rounded
QUANTISED = {
    "quniform": (Numeric("uniform", 3.0, 12.0, q=1.0), stats.uniform(3, 9)),
    "quniform whose q does not divide its bounds": (
        Numeric("uniform", -1.0, 7.3, q=0.5),
        stats.uniform(-1, 8.3),
    ),
    "uniformint": (Numeric("uniform", 1.0, 30.0, q=1.0, integer=True), stats.uniform(1, 29)),
    "quniform of one value": (Numeric("uniform", 0.1, 0.4, q=1.0), stats.uniform(0.1, 0.3)),
    "qloguniform": (
        Numeric("uniform", 0.0, LOG(300), log=True, q=2.0),
        stats.loguniform(1, 300),
    ),
    "qloguniform that reaches 0": (
        Numeric("uniform", -5.0, 2.0, log=True, q=1.0),
        stats.loguniform(math.exp(-5), math.exp(2)),
    ),
    "qnormal": (Numeric("normal", 0.3, 5.0, q=1.0), stats.norm(0.3, 5)),
    "qlognormal": (Numeric("normal", 1.0, 1.0, log=True, q=0.5), stats.lognorm(1, scale=math.e)),
}


def draw(distribution: Distribution, n: int) -> FloatArray:
    return distribution.quantile(np.random.default_rng(20).random(n))


def exact_support(distribution: Numeric) -> FloatArray:
    """The values, for a normal base those within nine standard deviations."""
    if math.isfinite(distribution.cardinality):
        return distribution.support()
    assert distribution.q is not None
    ends = np.array([-9.0, 9.0]) * distribution.b + distribution.a
    first, last = distribution.from_latent(np.minimum(ends, 8.0) if distribution.log else ends)
    return np.arange(round(first / distribution.q), round(last / distribution.q) + 1) * (
        distribution.q
    )


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_draws_follow_the_distribution(name: str) -> None:
    distribution, exact = CONTINUOUS[name]
    assert stats.kstest(draw(distribution, 20_000), exact.cdf).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", QUANTISED)
def test_quantised_draws_follow_the_mass_of_their_cells(name: str) -> None:
    distribution, exact = QUANTISED[name]
    assert distribution.q is not None
    support = exact_support(distribution)
    mass = exact.cdf(support + distribution.q / 2) - exact.cdf(support - distribution.q / 2)
    check_frequencies(draw(distribution, 20_000), support, mass)


@pytest.mark.parametrize("distribution", [RandInt(0, 7), RandInt(-3, 20), RandInt(5, 6)])
def test_integers_are_equally_probable(distribution: RandInt) -> None:
    n = distribution.high - distribution.low
    check_frequencies(draw(distribution, 20_000), distribution.support(), np.full(n, 1 / n))


@pytest.mark.parametrize("p", [(0.2, 0.3, 0.5), (0.1, 0.0, 0.9), (1.0,), (0.25,) * 4, (0.0, 1.0)])
def test_categories_have_the_probabilities_given(p: tuple[float, ...]) -> None:
    support = np.flatnonzero(p).astype(float)
    check_frequencies(draw(Categorical(p), 20_000), support, np.array([x for x in p if x]))


def check_frequencies(values: FloatArray, support: FloatArray, mass: FloatArray) -> None:
    """Chi-square, in which values of fewer than five expected draws count as one."""
    place = np.searchsorted(support, values)
    assert (support[place] == values).all()
    observed = np.bincount(place, minlength=len(support)).astype(float)
    expected = mass / mass.sum() * len(values)
    common = expected >= 5
    classes = np.where(common, np.cumsum(common), 0)
    if expected[~common].sum() < 5:
        classes[~common] = 1
    observed, expected = (np.bincount(classes, x) for x in (observed, expected))
    filled = expected > 0
    if filled.sum() > 1:
        assert stats.chisquare(observed[filled], expected[filled]).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", CONTINUOUS)
def test_log_density_is_that_of_the_latent_and_integrates_to_one(name: str) -> None:
    distribution, exact = CONTINUOUS[name]
    values = draw(distribution, 100)
    jacobian = np.log(values) if distribution.log else 0.0
    np.testing.assert_allclose(
        distribution.log_density(values), exact.logpdf(values) + jacobian, rtol=1e-9, atol=1e-9
    )

    def density(z: float) -> float:
        value = distribution.from_latent(np.array([z]))
        return float(np.exp(distribution.log_density(value))[0])

    ends = np.clip(distribution.bounds, -30, 30)
    assert integrate.quad(density, *ends, limit=200)[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", QUANTISED)
def test_log_density_of_a_quantised_value_is_the_mass_of_its_cell(name: str) -> None:
    distribution, exact = QUANTISED[name]
    assert distribution.q is not None
    support = exact_support(distribution)
    mass = exact.cdf(support + distribution.q / 2) - exact.cdf(support - distribution.q / 2)
    answer = np.exp(distribution.log_density(support))
    np.testing.assert_allclose(answer, mass, rtol=1e-7, atol=1e-12)
    assert math.fsum(answer) == pytest.approx(1.0, abs=1e-3 if distribution.log else 1e-9)


@pytest.mark.parametrize("distribution", [RandInt(-3, 20), Categorical((0.1, 0.0, 0.9))])
def test_log_density_of_a_discrete_value_sums_to_one(
    distribution: RandInt | Categorical,
) -> None:
    support = distribution.support()
    assert math.fsum(np.exp(distribution.log_density(support))) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("distribution", "outside"),
    [
        (Numeric("uniform", 0.0, 1.0), [-0.1, 1.1]),
        (Numeric("uniform", 0.0, 1.0, log=True), [0.9, 3.0, 0.0, -1.0]),
        (Numeric("uniform", 0.0, 5.0, q=1.0), [-1.0, 6.0, 100.0]),
        (Numeric("uniform", 0.0, 3.5, q=1.0), [4.0]),
        (RandInt(0, 3), [-1.0, 3.0]),
        (Categorical((0.5, 0.0, 0.5)), [1.0, 3.0, -1.0, 0.5, np.nan]),
    ],
)
def test_what_cannot_be_drawn_has_no_density(
    distribution: Distribution, outside: list[float]
) -> None:
    assert (distribution.log_density(np.array(outside)) == -np.inf).all()


def test_a_bound_of_a_log_uniform_parameter_is_inside() -> None:
    for low in np.log([1e-4, 0.3, 1e-7, 20]):
        distribution = Numeric("uniform", low, low + 1, log=True)
        ends = distribution.from_latent(np.array([low, low + 1]))
        assert np.isfinite(distribution.log_density(ends)).all()


def test_density_stays_finite_far_out_in_the_tails() -> None:
    distribution = Numeric("normal", 0.0, 1.0, q=1.0)
    tails = distribution.log_density(np.array([-30.0, 30.0]))
    assert tails[0] == pytest.approx(tails[1])
    assert tails[0] == pytest.approx(stats.norm.logsf(29.5), rel=1e-6)


@given(numbers(), st.integers(0, 1000))
def test_cells_are_what_from_latent_rounds_to_the_value(
    distribution: Numeric | RandInt, seed: int
) -> None:
    values = distribution.quantile(np.random.default_rng(seed).random(20))
    lower, upper = distribution.cells(values)
    if isinstance(distribution, Numeric) and distribution.q is None:
        assert (lower == upper).all()
        return
    assert (lower < upper).all()
    low, high = distribution.bounds
    assert (lower >= low).all() and (upper <= high).all()
    lower = np.where(np.isinf(lower), upper - 10, lower)
    for share in (0.001, 0.5, 0.999):
        inside = lower + share * (upper - lower)
        # A sliver of an edge belongs to the value beside it.
        np.testing.assert_allclose(distribution.from_latent(inside), values, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", QUANTISED)
def test_the_cells_of_a_finite_support_tile_the_bounds(name: str) -> None:
    distribution, _ = QUANTISED[name]
    if math.isinf(distribution.cardinality):
        return
    lower, upper = distribution.cells(distribution.support())
    np.testing.assert_allclose(lower[1:], upper[:-1], rtol=1e-12)
    assert (lower[0], upper[-1]) == distribution.bounds


@given(distributions(), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_every_value_can_be_drawn_lies_inside_and_is_json(
    distribution: Distribution, u: list[float]
) -> None:
    values = distribution.quantile(np.array(u))
    latents = distribution.to_latent(values)
    low, high = distribution.bounds
    assert ((latents >= low) & (latents <= high)).all()
    assert np.isfinite(distribution.log_density(values)).all()
    for value in map(distribution.native, values.tolist()):
        assert type(value) in (int, float)
        assert json.loads(json.dumps(value, allow_nan=False)) == value
        assert str(value) != "-0.0"


@given(distributions(), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_values_survive_the_way_to_latents_and_back(
    distribution: Distribution, u: list[float]
) -> None:
    values = distribution.quantile(np.array(u))
    again = distribution.from_latent(distribution.to_latent(values))
    np.testing.assert_allclose(again, values, rtol=1e-12, atol=1e-12)
    natives = np.array([distribution.native(value) for value in values.tolist()], dtype=float)
    if not isinstance(distribution, Numeric) or distribution.q is not None:
        # Bit for bit: searches find repeated configurations by their latents.
        assert (distribution.to_latent(natives) == distribution.to_latent(values)).all()


@given(distributions(), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_quantiles_ascend(distribution: Distribution, u: list[float]) -> None:
    assert (np.diff(distribution.quantile(np.sort(u))) >= 0).all()


@given(integers() | categories())
def test_the_support_is_what_quantiles_reach(distribution: RandInt | Categorical) -> None:
    reached = set(distribution.quantile(np.linspace(0, 1, 5000)).tolist())
    assert reached == set(distribution.support().tolist())
    assert len(reached) == distribution.cardinality


@pytest.mark.parametrize(
    ("low", "high", "q", "values"),
    [
        (3, 12, 1, list(range(3, 13))),
        (0.3, 0.4, 1, [0]),
        (0, 2.5, 1, [0, 1, 2]),
        (0, 3.5, 1, [0, 1, 2, 3]),
        (0.5, 3.4, 1, [1, 2, 3]),
        (-1, 1, 0.5, [-1.0, -0.5, 0.0, 0.5, 1.0]),
        (0, 1, 0.1, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (1, 10, 4, [0, 4, 8]),
        (-7, -2, 5, [-5, 0]),
    ],
)
def test_a_quantised_uniform_reaches_the_multiples_whose_cells_meet_its_bounds(
    low: float, high: float, q: float, values: list[float]
) -> None:
    distribution = Numeric("uniform", float(low), float(high), q=float(q))
    support = [distribution.native(value) for value in distribution.support()]
    assert support == values
    assert [type(value) for value in support] == [type(value) for value in values]
    assert distribution.cardinality == len(support)
    drawn = {distribution.native(value) for value in draw(distribution, 5000).tolist()}
    assert drawn == set(support)


def test_qloguniform_reaches_zero_with_a_latent_of_its_own() -> None:
    distribution = Numeric("uniform", -5.0, 2.0, log=True, q=1.0)
    assert distribution.support()[0] == 0
    zero = distribution.to_latent(np.array([0.0]))
    assert np.isfinite(zero).all()
    assert distribution.from_latent(zero) == 0
    lower, upper = distribution.cells(np.array([0.0]))
    assert (lower[0], upper[0]) == (-5.0, math.log(0.5))


HUGE = [
    Numeric("uniform", 0.0, 1e20, q=1.0),
    Numeric("uniform", 0.0, 40.0, log=True, q=1.0),
    Numeric("uniform", 0.0, 2.0**62, q=1.0, integer=True),
    Numeric("uniform", 0.0, 1.0, q=1e-18),
    RandInt(0, 2**63),
    RandInt(2**60, 2**60 + 10),
]


@pytest.mark.parametrize("distribution", HUGE)
def test_huge_quantised_ranges_have_cells_and_densities(
    distribution: Numeric | RandInt,
) -> None:
    values = draw(distribution, 1000)
    lower, upper = distribution.cells(values)
    assert (lower < upper).all()
    assert np.isfinite(distribution.log_density(values)).all()
    natives = [distribution.native(value) for value in values.tolist()]
    assert json.loads(json.dumps(natives)) == natives
    if distribution.cardinality > 1e8:
        assert len(set(natives)) > 900
        with pytest.raises(ValueError, match="too many to list"):
            distribution.support()


def test_a_huge_integer_never_reaches_its_excluded_bound() -> None:
    distribution = RandInt(0, 2**63)
    assert distribution.native(distribution.quantile(np.array([1.0])).item()) == 2**63 - 1


def test_an_extreme_log_normal_stays_finite() -> None:
    distribution = Numeric("normal", 0.0, 1000.0, log=True)
    assert np.isfinite(distribution.quantile(np.array([0.0, 0.5, 1.0]))).all()


@pytest.mark.parametrize(
    ("q", "value", "native"),
    [(0.1, 6 * 0.1, 0.6), (0.05, 0.15000000000000002, 0.15), (1e-5, 3e-5, 3e-5), (2.0, 4.0, 4)],
)
def test_multiples_of_a_decimal_step_look_as_people_write_them(
    q: float, value: float, native: float
) -> None:
    answer = Numeric("uniform", -1.0, 5.0, q=q).native(value)
    assert (answer, type(answer)) == (native, type(native))


def test_a_continuous_parameter_has_no_support() -> None:
    for distribution in (Numeric("uniform", 0.0, 1.0), Numeric("normal", 0.0, 1.0, q=1.0)):
        assert math.isinf(distribution.cardinality)
        with pytest.raises(ValueError, match="no finite support"):
            distribution.support()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Numeric("uniform", 1.0, 1.0), "low must be below high, got low=1, high=1"),
        (lambda: Numeric("uniform", math.nan, 1.0), "low must be finite, got nan"),
        (lambda: Numeric("uniform", 0.0, math.inf), "high must be finite, got inf"),
        (lambda: Numeric("uniform", -1e308, 1e308), "high - low must be from 1e-300 to 1e\\+300"),
        (lambda: Numeric("uniform", 1.0, 1000.0, log=True), r"did you mean np.log\(1000\)"),
        (lambda: Numeric("normal", 0.0, 0.0), "sigma must be above 0, got 0"),
        (lambda: Numeric("normal", 0.0, 1e308), "mu and sigma must give finite values"),
        (lambda: Numeric("normal", 1000.0, 1.0, log=True), r"did you mean np.log\(1000\)"),
        (lambda: Numeric("uniform", 0.0, 1.0, q=0.0), "q must be above 0 and finite, got 0"),
        (lambda: Numeric("uniform", 0.0, 1e300, q=1e-300), "number of steps overflows"),
        (lambda: Numeric("uniform", 0.0, 1.0, q=0.5, integer=True), "needs an integral q"),
        (lambda: RandInt(3, 3), "low must be below high .*got low=3, high=3"),
        (lambda: RandInt(0, 2**70), "must lie between"),
        (lambda: Categorical(()), "needs at least one option, got none"),
        (lambda: Categorical((0.5, -0.5, 1.0)), "at least 0, got -0.5"),
        (lambda: Categorical((0.5, 0.4)), "must sum to 1, got 0.9; divide each"),
    ],
)
def test_ill_formed_distributions_are_refused(make: object, message: str) -> None:
    with pytest.raises(BadSearchSpace, match=message):
        make()  # type: ignore[operator]


@given(distributions())
def test_distributions_survive_pickling(distribution: Distribution) -> None:
    distribution.quantile(np.array([0.5]))
    again = pickle.loads(pickle.dumps(distribution))
    assert again == distribution
    assert hash(again) == hash(distribution)
