"""Every public argument refuses what it cannot use, by name, or is documented to take it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mistakes.algorithms import ALGORITHMS
from tests.mistakes.judge import Argument, verdicts
from tests.mistakes.results import RESULTS
from tests.mistakes.searches import SEARCHES
from tests.mistakes.spaces import SPACES
from tests.mistakes.trials import TRIALS

ARGUMENTS = [*SEARCHES, *SPACES, *ALGORITHMS, *TRIALS, *RESULTS]


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda argument: argument.name)
def test_a_wrong_value_is_refused_by_the_arguments_name(
    argument: Argument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some of the values are names of files.
    monkeypatch.chdir(tmp_path)
    wrong = [f"{name}: {what}" for name, what in verdicts(argument)]
    assert not wrong, "\n".join([argument.name, *wrong])


def test_there_are_thousands_of_mistakes() -> None:
    assert sum(len(each.values) - len(each.accepted) for each in ARGUMENTS) > 7000
