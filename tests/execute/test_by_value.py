"""Modules are pickled by value for as long as a search needs it, and no longer."""

from __future__ import annotations

import cloudpickle
import pytest

from sparktuner.execute import modules_by_value
from tests import waiting


def by_value() -> set[str]:
    return {
        name for name in cloudpickle.list_registry_pickle_by_value() if name == "tests.waiting"
    }


def test_a_module_is_by_value_until_the_last_search_that_needs_it_has_ended() -> None:
    with modules_by_value(waiting):
        with modules_by_value(waiting):
            assert by_value() == {"tests.waiting"}
        assert by_value() == {"tests.waiting"}
    assert by_value() == set()


def test_what_the_user_has_registered_stays() -> None:
    cloudpickle.register_pickle_by_value(waiting)
    try:
        with modules_by_value(waiting):
            pass
        assert by_value() == {"tests.waiting"}
    finally:
        cloudpickle.unregister_pickle_by_value(waiting)


def test_a_search_that_raises_leaves_nothing_by_value() -> None:
    with pytest.raises(KeyError), modules_by_value(waiting):
        raise KeyError
    assert by_value() == set()
