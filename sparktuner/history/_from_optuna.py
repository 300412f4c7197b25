"""Reads the trials of a study of Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sparktuner.checks import shown
from sparktuner.history._fit import SpaceFit
from sparktuner.history._past import PastTrial, sorted_out

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

# By the name of the state, so that nothing has to be imported.
_STATES = {"COMPLETE": "done", "FAIL": "failed", "PRUNED": "cancelled", "RUNNING": "running"}


def trials_of_study(study: Study, fit: SpaceFit | None) -> list[PastTrial]:
    """Returns the trials of a study; the loss of one that maximises is its value negated.

    Args:
        study: of one objective.
        fit: the space; None takes the values of choices as indices of Optuna's.

    Raises:
        TypeError: ``study`` is none.
        ValueError: it has several objectives.
    """
    if not hasattr(study, "trials") or not hasattr(study, "directions"):
        raise TypeError(
            f"study must be a study of Optuna, got {shown(study)}; open it with "
            "optuna.load_study(study_name=..., storage=...)"
        )
    directions = [direction.name for direction in study.directions]
    if len(directions) != 1:
        raise ValueError(
            f"study must have one objective, got {len(directions)}; make a table of it with "
            "study.trials_dataframe(), and one loss of its values, for from_pandas"
        )
    sign = -1.0 if directions[0] == "MAXIMIZE" else 1.0
    return [_past(trial, sign, fit is None) for trial in study.trials]


def _past(trial: FrozenTrial, sign: float, by_index: bool) -> PastTrial:
    state = trial.state.name
    facts, fields = sorted_out(trial.user_attrs)
    word = _STATES.get(state, "waiting")
    # Optuna has one state for what here is failed, cancelled, or done without a loss.
    if state == "FAIL" and facts.get("state") in ("cancelled", "done"):
        word = str(facts["state"])
    facts.update(state=word, **_times(trial))
    if word == "failed" and "error" not in facts:
        facts["error"] = "Failed"
        facts["traceback"] = str(fields.get("error", "the trial failed in Optuna"))
    if state == "PRUNED":
        facts["error"] = "TrialPruned"
        facts["traceback"] = "Optuna's pruner stopped the trial"
    values = _by_index(trial) if by_index else trial.params
    loss = None if state != "COMPLETE" else sign * float(trial.value)
    return PastTrial(values, loss, facts, fields)


def _by_index(trial: FrozenTrial) -> Mapping[str, Any]:
    values = {}
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        is_choice = hasattr(distribution, "choices")
        values[name] = int(distribution.to_internal_repr(value)) if is_choice else value
    return values


def _times(trial: FrozenTrial) -> dict[str, datetime]:
    """When it started and ended, in UTC; Optuna's are naive and local."""
    times = {"start": trial.datetime_start, "end": trial.datetime_complete}
    return {name: time.astimezone() for name, time in times.items() if time is not None}
