"""A table of trials in a store that somebody else can write to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.records import SPACE_PREFIX
from sparktuner.stores import open_store


class Touches:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.file,)


def test_a_pickle_in_place_of_a_space_is_not_loaded_for_a_table(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("pandas")
    trials = Trials(store=f"sqlite:///{tmp_path}/tuning.db")
    fmin(abs, hp.uniform("x", -1, 1), max_evals=1, trials=trials, rstate=0, verbose=False)
    store = open_store(f"sqlite:///{tmp_path}/tuning.db")
    for name in list(store.attachments.names(SPACE_PREFIX)):
        store.attachments[name] = Touches(tmp_path / "executed")
    store.attachments[f"{SPACE_PREFIX}{trials.trials[0]['misc']['space']}"] = Touches(
        tmp_path / "executed"
    )
    table = Trials(store=store).to_pandas()
    assert list(table["params.x"]) == [trials.vals["x"][0]]
    assert not (tmp_path / "executed").exists()
