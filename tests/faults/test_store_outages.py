"""Stores that go away in the middle of a search: it waits, goes on, or keeps everything."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparktuner import ThreadTrials, fmin, hp, rand
from sparktuner.errors import StoreError
from sparktuner.status import JOB_STATE_DONE
from sparktuner.stores import open_store
from tests.servers.disk import small_disk
from tests.servers.ferretdb import ServerMissing, ferretdb
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.service
TRIALS = 60


class Database:
    """A store that nobody has used, and what lets it go away and come back."""

    def __init__(self, url: str, kill: Callable[[], None], start: Callable[[], None]) -> None:
        self.url, self.kill, self.start = url, kill, start


@pytest.fixture
def postgres_server() -> Iterator[Database]:
    pytest.importorskip("psycopg")
    # One of its own: others' tests would meet the outage too. It keeps what it has confirmed.
    server = PostgresServer(durable=True)
    yield Database(f"{server.new_database('outages')}?lease=20", server.kill, server.start)
    server.remove()


@pytest.fixture
def mongo() -> Iterator[Database]:
    pytest.importorskip("pymongo")
    try:
        with ferretdb() as server:
            url = f"{server.url}/d{uuid.uuid4().hex[:10]}?lease=20"
            yield Database(url, server.kill, server.start)
    except ServerMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    # The searches' trials have their databases open still.
    with small_disk(tmp_path / "disk", "4m", "--lazy") as folder:
        yield folder


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(1000))


def on_a_disk_that_fills(url: str, disk: Path) -> Database:
    return Database(url, lambda: fill(disk), (disk / "filler").unlink)


@pytest.fixture
def sqlite(disk: Path) -> Database:
    pytest.importorskip("sqlalchemy")
    return on_a_disk_that_fills(f"sqlite:///{disk}/tuning.db?lease=20", disk)


@pytest.fixture
def folder(disk: Path) -> Database:
    return on_a_disk_that_fills(f"file://{disk}/trials?lease=20", disk)


@pytest.fixture(params=["postgres_server", "mongo", "sqlite", "folder"])
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def spill_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUNER_SPILL_DIR", str(tmp_path / "spill"))
    return tmp_path / "spill"


class Objective:
    """Sleeps a little, and counts its calls; at the 20th it lets somebody know."""

    def __init__(self) -> None:
        self.calls: Counter[float] = Counter()
        self.at_20 = threading.Event()

    def __call__(self, x: float) -> float:
        self.calls[x] += 1
        if len(self.calls) == 20:
            self.at_20.set()
        time.sleep(0.02)
        return x


def search(url: str, objective: Objective, store_timeout: float) -> ThreadTrials:
    trials = ThreadTrials(4, store=url, exp_key="outage")
    fmin(
        objective,
        hp.uniform("x", -1, 1),
        algo=rand.suggest,
        max_evals=TRIALS,
        rstate=0,
        trials=trials,
        store_timeout=store_timeout,
        verbose=False,
    )
    return trials


def states(url: str) -> Counter[int]:
    documents, _ = open_store(url).load_since(None, "outage")
    assert len({d["tid"] for d in documents}) == len(documents)
    return Counter(d["state"] for d in documents)


def test_a_search_waits_for_a_server_that_comes_back(database: Database) -> None:
    objective = Objective()

    def outage() -> None:
        objective.at_20.wait(60)
        database.kill()
        time.sleep(3)
        database.start()

    thread = threading.Thread(target=outage)
    thread.start()
    trials = search(database.url, objective, store_timeout=120)
    thread.join()
    assert len(trials) == TRIALS
    assert states(database.url) == {JOB_STATE_DONE: TRIALS}
    assert set(objective.calls.values()) == {1}


def test_what_a_server_that_stays_away_cannot_take_is_kept_for_the_next_search(
    database: Database, spill_folder: Path
) -> None:
    objective = Objective()
    thread = threading.Thread(target=lambda: objective.at_20.wait(60) and database.kill())
    thread.start()
    with pytest.raises(StoreError, match="trials are kept in"):
        search(database.url, objective, store_timeout=1.5)
    thread.join()
    assert list(spill_folder.glob("*.trials"))
    known = len(objective.calls)
    database.start()
    trials = search(database.url, objective, store_timeout=120)
    assert len(trials) == TRIALS
    assert states(database.url) == {JOB_STATE_DONE: TRIALS}
    assert not list(spill_folder.glob("*.trials"))
    # Those that had ended were not run again; those that were cancelled were not counted.
    assert known <= len(objective.calls) <= TRIALS + 4
    assert set(objective.calls.values()) <= {1, 2}
