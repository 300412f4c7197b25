"""What a search may still gain: whatever the space and the losses."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from sparktuner import hp
from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray, flatten
from sparktuner.suggest import Outlook, outlook_of

BOX = flatten({"x": hp.uniform("x", -1, 1), "y": hp.uniform("y", -1, 1)})
SPACES: dict[str, Any] = {
    "numbers": {"x": hp.uniform("x", 0, 1), "n": hp.randint("n", 9)},
    "choices": [hp.choice(f"c{i}", [*"abc"]) for i in range(3)],
    "branches": hp.choice("k", [hp.normal("a", 0, 1), {"b": hp.lognormal("b", 0, 1)}, "none"]),
}


def history_of(space: FlatSpace, losses: FloatArray, values: FloatArray | None = None) -> History:
    n = len(losses)
    drawn = space.sample(np.random.default_rng(0), n) if values is None else values
    return History(np.arange(n), np.array(losses, float), drawn, drawn[:0])


def bowl(n: int, shift: float = 0.0, scale: float = 1.0) -> History:
    values = BOX.sample(np.random.default_rng(1), n)
    return history_of(BOX, shift + scale * (values**2).sum(axis=1), values)


def known(outlook: Outlook | None) -> Outlook:
    assert outlook is not None
    return outlook


@pytest.mark.parametrize("space", [flatten(each) for each in SPACES.values()], ids=[*SPACES])
@pytest.mark.parametrize("n", [4, 5, 30, 250])
def test_it_is_finite_and_not_negative(space: FlatSpace, n: int) -> None:
    losses = np.random.default_rng(n).normal(size=n)
    outlook = known(outlook_of(space, history_of(space, losses)))
    for share in (outlook.gained, outlook.regret, outlook.likely_regret, outlook.gain):
        assert 0 <= share < math.inf
    assert outlook == outlook_of(space, history_of(space, losses))


@pytest.mark.parametrize("n", range(4))
def test_of_too_few_losses_nothing_is_known(n: int) -> None:
    assert outlook_of(BOX, bowl(n)) is None


def test_of_equal_losses_nothing_is_to_be_gained() -> None:
    assert outlook_of(BOX, history_of(BOX, np.ones(30))) == Outlook(0.0, 0.0, 0.0, 0.0)


def test_half_of_the_losses_may_be_the_best_one() -> None:
    losses = np.where(np.arange(40) % 3 == 0, 1.0, 0.0)
    assert known(outlook_of(BOX, history_of(BOX, losses))).gained == pytest.approx(0.35)


@pytest.mark.parametrize(
    "losses", [[1e308, -1e308] * 20, [5e-324, 0.0] * 20, [1.0, 1.0 + 2e-16] * 20]
)
def test_extreme_losses_raise_and_warn_of_nothing(losses: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outlook = known(outlook_of(BOX, history_of(BOX, np.array(losses))))
    assert not math.isnan(outlook.regret)


@pytest.mark.parametrize("n", [20, 40, 90])
def test_it_is_what_is_left_to_find_of_a_smooth_function(n: int) -> None:
    # Whose optimum is 0.
    history = bowl(n)
    outlook, left = known(outlook_of(BOX, history)), history.losses.min()
    assert left <= outlook.regret < 2 * left
    assert outlook.gain == pytest.approx(left, rel=0.3)


@pytest.mark.parametrize("n", [20, 40, 90])
def test_the_likely_regret_is_below_its_bound_and_near_what_is_left(n: int) -> None:
    history = bowl(n)
    outlook, left = known(outlook_of(BOX, history)), history.losses.min()
    assert outlook.likely_regret <= outlook.regret
    assert outlook.likely_regret == pytest.approx(left, rel=0.3)


def test_losses_that_are_noise_leave_much_that_is_likely() -> None:
    losses = np.random.default_rng(0).normal(size=60)
    outlook = known(outlook_of(BOX, history_of(BOX, losses)))
    assert outlook.likely_regret > 0.02 * outlook.gained


def test_shares_do_not_depend_on_the_losses_unit_or_origin() -> None:
    one, other = known(outlook_of(BOX, bowl(30))), known(outlook_of(BOX, bowl(30, -7.0, 1e5)))
    assert other.regret / other.gained == pytest.approx(one.regret / one.gained, rel=0.05)
    assert other.gained == pytest.approx(1e5 * one.gained, rel=1e-6)


def test_the_order_in_which_results_came_does_not_matter() -> None:
    history = bowl(250)
    order = np.random.default_rng(3).permutation(250)
    shuffled = History(
        history.tids[order], history.losses[order], history.values[order], history.pending
    )
    assert outlook_of(BOX, shuffled) == outlook_of(BOX, history)
