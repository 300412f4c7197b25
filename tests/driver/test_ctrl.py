"""What an objective asks of its ctrl goes through the loop, the only writer of documents."""

from __future__ import annotations

from typing import Any

import pytest

from sparktuner import Callback, Ctrl, ThreadTrials, Trials, fmin, fmin_pass_expr_memo_ctrl, hp
from sparktuner.domain import Domain
from sparktuner.records import TrialDocument, new_document
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR

X = hp.uniform("x", 0, 1)
KINDS = [Trials, lambda: ThreadTrials(1)]


def quiet(fn: Any, trials: Trials, **kw: Any) -> Any:
    options = {"max_evals": 1, "rstate": 0, "verbose": False, **kw}
    return fmin(fmin_pass_expr_memo_ctrl(fn), X, trials=trials, **options)


@pytest.mark.parametrize("make", KINDS, ids=["serial", "threads"])
def test_a_checkpoint_is_kept_by_the_loop_also_when_the_trial_fails(make: Any) -> None:
    def objective(expr: Any, memo: Any, ctrl: Ctrl) -> float:
        before = dict(ctrl.current_trial or {})
        ctrl.checkpoint({"status": "running", "loss": 3.0, "epoch": 7})
        assert dict(ctrl.current_trial or {}) == before or make is not Trials
        raise KeyError("after the checkpoint")

    kept: list[Any] = []

    class Store(Callback):
        def on_trial_end(self, document: TrialDocument) -> None:
            kept.append(document["version"])

    trials = make()
    with pytest.raises(Exception, match="after the checkpoint|none of the 1 trials"):
        quiet(objective, trials, callbacks=[Store()])
    [document] = trials.all_trials
    assert document["state"] == JOB_STATE_ERROR
    # Inserted as 0; started, checkpointed and ended: the checkpoint was a write of its own.
    assert kept == [3]


@pytest.mark.parametrize("make", KINDS, ids=["serial", "threads"])
def test_injected_results_are_inserted_and_count(make: Any) -> None:
    def objective(expr: Any, memo: Any, ctrl: Ctrl) -> float:
        tid = (ctrl.current_trial or {})["tid"]
        if tid == 0:
            misc = new_document(0, {"x": 0.25}, ["x"])["misc"]
            [new] = ctrl.inject_results(
                [None],
                [{"status": "ok", "loss": -1.0}],
                [{**misc, "tid": 1}],  # type: ignore[typeddict-item]
            )
            assert new == 1
        return float(next(iter(memo.values())))

    trials = make()
    best = quiet(objective, trials, max_evals=3)
    assert best == {"x": 0.25}
    assert sorted(trials.tids) == [0, 1, 2]
    assert [t["misc"].get("from_tid") for t in sorted(trials, key=lambda t: t["tid"])] == [
        None,
        0,
        None,
    ]
    assert {t["state"] for t in trials} == {JOB_STATE_DONE}


@pytest.mark.parametrize("make", KINDS, ids=["serial", "threads"])
def test_injected_results_belong_to_the_space_they_were_made_in(make: Any) -> None:
    def objective(expr: Any, memo: Any, ctrl: Ctrl) -> float:
        misc = new_document(0, {"x": 0.25}, ["x"])["misc"]
        if (ctrl.current_trial or {})["tid"] == 0:
            ctrl.inject_results([None], [{"status": "ok", "loss": -1.0}], [misc])
        return float(next(iter(memo.values())))

    trials = make()
    quiet(objective, trials, max_evals=3)
    assert len({document["misc"]["space"] for document in trials}) == 1
    best = fmin(
        lambda x: x, hp.uniform("x", 100, 200), max_evals=6, trials=trials, verbose=False, rstate=0
    )
    assert best["x"] >= 100


@pytest.mark.parametrize(
    "ask",
    [
        lambda ctrl: ctrl.checkpoint({"status": "running"}),
        lambda ctrl: ctrl.inject_results([None], [{}], [{}]),
        lambda ctrl: ctrl.attachments,
    ],
)
def test_on_a_worker_a_ctrl_says_what_to_do_instead(ask: Any) -> None:
    import cloudpickle

    def objective(expr: Any, memo: Any, ctrl: Any) -> float:
        ask(ctrl)
        return 1.0

    domain = Domain(fmin_pass_expr_memo_ctrl(objective), X)
    shipped = cloudpickle.loads(cloudpickle.dumps(domain.objective(Trials())))
    with pytest.raises(RuntimeError, match="only where the objective runs in the driver's"):
        shipped(new_document(0, {"x": 0.5}))


def test_a_ctrl_made_by_hand_writes_the_document_itself() -> None:
    document = new_document(0, {"x": 0.5})
    Ctrl(Trials(), document).checkpoint({"status": "ok", "loss": 2.0})
    assert document["result"] == {"status": "ok", "loss": 2.0}
