"""What a run of MLflow has beside values and texts: the data sets it uses, and its models."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from sparktuner.mlflow._datasets import CONTEXT, FIELDS, Input

_CONTEXT_TAG = "mlflow.data.context"


def log_input(client: Any, entities: ModuleType, run_id: str, said: Input) -> None:
    """Writes that a run uses a data set; saying it again changes nothing.

    Args:
        client: MLflow's.
        entities: ``mlflow.entities``.
        run_id: the run's.
        said: what is said of the data set.
    """
    context = [entities.InputTag(_CONTEXT_TAG, said[CONTEXT])] if CONTEXT in said else []
    dataset = entities.Dataset(**{name: said[name] for name in FIELDS if name in said})
    client.log_inputs(run_id, [entities.DatasetInput(dataset, context)])


def link_models(client: Any, entities: ModuleType, run_id: str, others: Iterable[Any]) -> None:
    """Lets the models that other runs have logged be outputs of a run too.

    Nothing happens with MLflow 2, where a run has no models, only files.

    Args:
        client: MLflow's.
        entities: ``mlflow.entities``.
        run_id: the run's.
        others: the other runs, as the client has found them.
    """
    found = {model.model_id: model for run in others for model in _models(run)}
    # Servers do not take the same one twice.
    for model in _models(client.get_run(run_id)) if found else ():
        found.pop(model.model_id, None)
    if found:
        output = entities.LoggedModelOutput
        client.log_outputs(run_id, [output(key, each.step) for key, each in found.items()])


def _models(run: Any) -> list[Any]:
    outputs = getattr(run, "outputs", None)
    return list(outputs.model_outputs) if outputs else []
