"""What algorithms remember of a space, and that they forget it with the space."""

from __future__ import annotations

import gc
import weakref

import pytest

from sparktuner.space import FlatSpace, flatten
from sparktuner.suggest._features import features_of
from sparktuner.suggest._layout import layout_of
from sparktuner.suggest._remembered import remembered
from tests.contracts.test_algorithms import ALGORITHMS
from tests.suggest.searches import Search, any_loss, conditional, everything, finite


@pytest.mark.parametrize("name", ALGORITHMS)
def test_no_algorithm_keeps_the_space_of_a_finished_search(name: str) -> None:
    search = Search(finite() if name == "grid" else conditional())
    search.run(ALGORITHMS[name], 10, any_loss)
    space = weakref.ref(search.domain.space)
    del search
    gc.collect()
    assert space() is None


def test_a_space_is_worked_out_once() -> None:
    asked: list[FlatSpace] = []

    @remembered
    def no_answer(space: FlatSpace) -> None:
        asked.append(space)

    spaces = [flatten(everything()), flatten(everything())]
    for space in spaces * 3:
        no_answer(space)
    assert asked == spaces
    assert layout_of(spaces[0]) is layout_of(spaces[0])
    assert features_of(spaces[0]) is features_of(spaces[0])
