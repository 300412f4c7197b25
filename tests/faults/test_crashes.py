"""Drivers that are killed: what was done stays done, and the search ends as it would have.

``SPARKTUNER_KILLS=200 python -m pytest tests/faults/test_crashes.py`` kills more of them.
"""

from __future__ import annotations

import functools
import os
import random
import uuid
from pathlib import Path

import pytest

from sparktuner import ThreadTrials, fmin, hp, tpe
from sparktuner.stores import open_store
from tests.faults.crashing import crash_until_done, killed_again_and_again, objective
from tests.servers.postgres import PostgresServer

KILLS = int(os.environ.get("SPARKTUNER_KILLS", "4"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    pytest.importorskip("sqlalchemy")
    return f"sqlite:///{tmp_path}/tuning.db?lease=2"


@pytest.fixture
def folder_url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/trials?lease=2"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    pytest.importorskip("psycopg")
    return f"{postgres.new_database(f't{uuid.uuid4().hex}')}?lease=2"


@pytest.fixture(params=["sqlite_url", "folder_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("drivers", [1, 2])
def test_a_driver_that_is_killed_again_and_again_loses_and_doubles_nothing(
    url: str, drivers: int, tmp_path: Path
) -> None:
    assert killed_again_and_again(url, drivers, KILLS, tmp_path) >= KILLS


def reproducible_search(url: str | None) -> ThreadTrials:
    trials = ThreadTrials(3, store=url, exp_key="same")
    fmin(
        lambda point: objective(point["x"]),
        {"x": hp.uniform("x", -1, 1), "c": hp.choice("c", [0, hp.normal("y", 0, 1)])},
        algo=tpe.suggest,
        max_evals=60,
        rstate=7,
        reproducible=True,
        verbose=False,
        trials=trials,
    )
    return trials


def test_a_reproducible_search_that_is_killed_gives_the_trials_of_one_that_is_not(
    url: str, tmp_path: Path
) -> None:
    whole = reproducible_search(None)
    rng = random.Random(0)
    # A store for each: seeds depend on the trials' ids. One may end before it is killed.
    for i in range(20):
        another = url.replace("?", f"{i}?") if "postgres" not in url else url
        work = functools.partial(reproducible_search, another)
        if crash_until_done([work], rng, KILLS):
            break
    else:
        pytest.fail("no search was killed")
    resumed = open_store(another).load_since(None, "same")[0]
    assert [d["tid"] for d in resumed] == whole.tids
    assert [d["misc"]["vals"] for d in resumed] == [d["misc"]["vals"] for d in whole.trials]
    assert [d["result"] for d in resumed] == whole.results
