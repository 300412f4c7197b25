"""Every public argument refuses what it cannot use, by name, or is documented to take it."""

from __future__ import annotations

import functools
import inspect
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sparktuner
from sparktuner import SparkTrials, fmin, rand
from tests.mistakes.algorithms import ALGORITHMS
from tests.mistakes.judge import Argument, judged, verdicts
from tests.mistakes.past import PAST
from tests.mistakes.plots import PLOTS
from tests.mistakes.results import RESULTS, X, result_of
from tests.mistakes.searches import FMIN, SEARCHES, searched
from tests.mistakes.spaces import SPACES
from tests.mistakes.tracking import TRACKING
from tests.mistakes.trials import TRIALS
from tests.mistakes.values import VALUES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Of the public names, those that take none, are Python's own, or hold names alone.
WITHOUT_ARGUMENTS = {
    *("Callback", "as_hyperopt", "exceptions", "partial", "progress", "spark"),
}
ARGUMENTS = [*SEARCHES, *SPACES, *ALGORITHMS, *TRIALS, *PAST, *PLOTS, *RESULTS, *TRACKING]


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda argument: argument.name)
def test_a_wrong_value_is_refused_by_the_arguments_name(
    argument: Argument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some of the values are names of files.
    monkeypatch.chdir(tmp_path)
    wrong = [f"{name}: {what}" for name, what in verdicts(argument)]
    assert not wrong, "\n".join([argument.name, *wrong])


@pytest.mark.parametrize("first", FMIN)
def test_of_two_mistakes_in_a_call_one_is_told(
    first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(first)
    wrong = []
    for second in FMIN.keys() - {first}:
        # Of the values that are no mistakes for either argument, one each.
        names = {
            name: rng.choice(sorted(VALUES.keys() - FMIN[name].accepted - {"coroutine"}))
            for name in (first, second)
        }
        given = {name: VALUES[value]() for name, value in names.items()}
        says = FMIN[first].says + FMIN[second].says
        outcome = judged(functools.partial(searched, **given), says, accepted=False)
        if outcome:
            wrong.append(f"{names}: {outcome}")
    assert not wrong, "\n".join(wrong)


def test_a_wrong_result_is_told_on_a_cluster_too(spark: SparkSession) -> None:
    """Some, because each is a search of its own."""
    wrong = []
    for name in ("None", "text", "complex", "list", "generator", "bad_repr", "module", "huge_int"):
        trials = SparkTrials(2, spark_session=spark)
        search = functools.partial(
            fmin, result_of(name), X, rand.suggest, 2, trials=trials, verbose=False
        )
        outcome = judged(search, ("objective", "result", "loss"), accepted=False)
        if outcome:
            wrong.append(f"{name}: {outcome}")
    assert not wrong, "\n".join(wrong)


def test_each_argument_of_fmin_and_each_public_name_is_tried() -> None:
    assert {*inspect.signature(fmin).parameters} == {*FMIN}
    tried = {re.split(r"\W", each.name)[0] for each in ARGUMENTS}
    # The early stop's and the algorithms' modules, and the rest by what is in them.
    tried |= {"early_stop"} if "no_progress_loss" in tried else set()
    constants = {name for name in sparktuner.__all__ if name.isupper()}
    assert {*sparktuner.__all__} - tried - constants == WITHOUT_ARGUMENTS


def test_there_are_thousands_of_mistakes() -> None:
    assert sum(len(each.values) - len(each.accepted) for each in ARGUMENTS) > 7000
