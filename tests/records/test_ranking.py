"""Which trial is better is decided in one place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner.records import (
    Incumbent,
    TrialDocument,
    best_first,
    best_of,
    finite_loss,
    is_better,
    new_document,
    reaches,
)
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR

losses_of_trials = st.lists(
    st.sampled_from([-2.0, 0.0, 1.0, 3.5, float("nan"), float("inf"), None]), max_size=12
)


def finished(tid: int, loss: float | None, status: str = "ok") -> TrialDocument:
    document = new_document(tid, {})
    document["state"] = JOB_STATE_DONE
    document["result"] = {"status": status, "loss": loss}
    return document


@given(losses_of_trials)
def test_the_best_is_the_first_of_the_lowest_finite_losses(losses: list[float | None]) -> None:
    documents = [finished(tid, loss) for tid, loss in enumerate(losses)]
    ranked = [(loss, tid) for tid, loss in enumerate(losses) if loss and np.isfinite(loss)]
    ranked += [(loss, tid) for tid, loss in enumerate(losses) if loss == 0.0]
    best = best_of(documents)
    assert (best is None) == (not ranked)
    if best is not None:
        assert best["tid"] == min(ranked)[1]


@pytest.mark.parametrize("status", ["fail", "new", "pruned"])
def test_only_finished_trials_with_status_ok_are_ranked(status: str) -> None:
    failed = finished(0, -1.0)
    failed["state"] = JOB_STATE_ERROR
    assert finite_loss(failed) is None
    assert finite_loss(finished(0, -1.0, status)) is None
    assert best_of([failed, finished(1, 2.0)]) == finished(1, 2.0)


def test_an_incumbent_says_whether_a_trial_is_a_new_best() -> None:
    incumbent = Incumbent()
    losses = [2.0, 2.0, None, 1.0, 3.0]
    answers = [incumbent.offer(finished(i, loss)) for i, loss in enumerate(losses)]
    assert answers == [True, False, False, True, False]
    assert incumbent.loss == 1.0
    assert incumbent.document == finished(3, 1.0)


def test_an_improvement_may_have_to_be_a_certain_one() -> None:
    assert is_better(5.0, None)
    assert not is_better(5.0, 5.0)
    assert is_better(4.9, 5.0)
    assert not is_better(4.9, 5.0, by=0.2)


def test_a_threshold_is_reached_by_an_equal_loss_and_by_no_loss_never() -> None:
    assert reaches(1.0, 1.0)
    assert not reaches(1.1, 1.0)
    assert not reaches(None, 1.0)
    assert not reaches(1.0, None)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), max_size=30), st.integers(1, 10))
def test_positions_come_best_first_and_do_not_depend_on_the_order_of_the_rows(
    losses: list[float], most: int
) -> None:
    tids = np.arange(len(losses))
    order = best_first(np.array(losses), tids, most)
    expected = sorted(range(len(losses)), key=lambda i: (losses[i], i))[:most]
    assert order.tolist() == expected
    shuffled = np.random.default_rng(0).permutation(len(losses))
    again = best_first(np.array(losses)[shuffled], tids[shuffled], most)
    assert tids[shuffled][again].tolist() == expected
