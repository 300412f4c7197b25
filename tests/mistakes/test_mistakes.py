"""Every public argument refuses what it cannot use, by name, or is documented to take it."""

from __future__ import annotations

import pytest

from tests.mistakes.judge import Argument, verdicts
from tests.mistakes.spaces import SPACES

ARGUMENTS = [*SPACES]


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda argument: argument.name)
def test_a_wrong_value_is_refused_by_the_arguments_name(argument: Argument) -> None:
    wrong = [f"{name}: {what}" for name, what in verdicts(argument)]
    assert not wrong, "\n".join([argument.name, *wrong])
