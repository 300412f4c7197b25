"""Attachments that workers write into the store themselves."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from sparktuner import SparkTrials, current_trial, fmin, hp
from sparktuner.errors import StoreUnavailable
from sparktuner.execute.spark import _executor
from sparktuner.execute.worker import CurrentTrial, entered
from sparktuner.records import MemoryAttachments, MemoryStore, TrialAttachments
from sparktuner.stores import open_store
from sparktuner.trials._attaching_directly import AttachingObjective


def attaching(folder: Path) -> Any:
    def objective(x: float) -> float:
        trial = current_trial()
        file = folder / f"file-{trial.tid}"
        file.write_bytes(b"f" * 3_000_000)
        trial.attach("log.txt", b"began")
        trial.attach("plots/large", file)
        if trial.tid == 1:
            raise ValueError("too late")
        return x

    return objective


@pytest.mark.parametrize(
    "session",
    ["local_spark", pytest.param("connect_spark", marks=[pytest.mark.spark, pytest.mark.service])],
)
def test_on_spark_they_do_not_pass_the_driver(
    session: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark = request.getfixturevalue(session)
    # The driver's executor has no such event to make.
    monkeypatch.delattr(_executor, "Attached")
    url = f"file://{tmp_path}/trials"
    trials = SparkTrials(2, spark_session=spark, store=url, attach_directly=True)
    space = hp.uniform("x", 0, 1)
    fmin(attaching(tmp_path), space, max_evals=3, trials=trials, verbose=False)
    for document in trials.all_trials:
        kept = trials.trial_attachments(document)
        assert kept["log.txt"] == b"began"
        with kept.open("plots/large") as stream:
            assert stream.read(3) == b"fff"
    assert [d["state"] for d in trials.all_trials] == [2, 3, 2]


def test_without_a_store_there_is_nothing_to_write_to() -> None:
    with pytest.raises(ValueError, match=r"attach_directly=True needs a store.*memory"):
        SparkTrials(attach_directly=True)


def test_a_pickle_of_it_writes_to_the_same_store(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/trials")
    objective = pickle.loads(pickle.dumps(AttachingObjective(attach_a_word, store)))
    with entered(CurrentTrial(5, 0)):
        assert objective(1.0) == 1.0
    assert TrialAttachments(store.attachments, 5)["word"] == b"so"


def attach_a_word(x: object) -> object:
    current_trial().attach("word", b"so")
    return x


class Away(MemoryAttachments):
    def write(self, name: str, stream: BinaryIO) -> None:
        stream.read(1)
        raise StoreUnavailable("it is away")


@pytest.mark.parametrize("kind", ["bytes", "file"])
def test_what_the_store_cannot_take_goes_by_the_driver(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    store._attachments = Away()
    file = tmp_path / "file"
    file.write_bytes(b"content")
    came: dict[str, bytes] = {}

    def keep(name: str, content: bytes | BinaryIO) -> None:
        came[name] = content if isinstance(content, bytes) else content.read()

    def objective(x: object) -> object:
        current_trial().attach("a", b"content" if kind == "bytes" else file)
        return x

    with caplog.at_level(logging.WARNING), entered(CurrentTrial(5, 0, _keep=keep)):
        AttachingObjective(objective, store)(1.0)
    assert came == {"a": b"content"}
    assert "attachment 'a' of trial 5 goes by the driver: it is away" in caplog.text


def test_called_by_hand_it_is_the_objective() -> None:
    assert AttachingObjective(attach_a_word, MemoryStore())(2.0) == 2.0
