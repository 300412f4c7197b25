"""What a store costs: each trial, opening a history, and the same for Optuna's storages.

Run by hand, from the project's root; takes some minutes:

    python -m tests.benchmarks.stores
    python -m tests.benchmarks.stores --stores sqlite --trials 20000
    python -m tests.benchmarks.stores --url postgresql://me@host/empty_database

A trial costs its share of what one turn of a search's loop does for a batch of trials: ids for
them, an insertion, an update when they start and one when they end, and a look at what others
have changed. Printed are the median and the 90th percentile over all turns in milliseconds a
trial, the CPU's part of it, how the last tenth of the trials compares with the first, statements
and bytes a trial (SQL), and the seconds in which a new store object reads the whole history.

``OPTUNA_PYTHON`` names the Python of an environment with Optuna (and psycopg for PostgreSQL):
its RDB storage in the same databases and its journal file are measured too. There a trial is
what ``ask``, one suggestion for each parameter, and ``tell`` write; batches do not exist.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sparktuner.records import MemoryStore, TrialStore, new_document
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_NEW, JOB_STATE_RUNNING
from sparktuner.stores import open_store, shown
from tests.servers.postgres import PostgresServer

LABELS = 8
EXPERIMENT = "benchmark"
OPTUNA = Path(__file__).with_name("_stores_optuna.py")


def one_turn(store: TrialStore, batch: int, token: object) -> object:
    """Takes a batch of trials from their ids to their results."""
    tids = store.allocate(batch, "me", EXPERIMENT, 10**9)
    values = {f"p{i}": 0.1 * i for i in range(LABELS)}
    documents = [new_document(tid, values, exp_key=EXPERIMENT) for tid in tids]
    store.insert(documents)
    for state in (JOB_STATE_RUNNING, JOB_STATE_DONE):
        for document in documents:
            document["state"] = state
            document["result"] = {"status": "ok", "loss": 0.5, "scores": [0.1] * 5}
        store.update(documents)
    return store.load_since(token, EXPERIMENT)[1]


def turns(store: TrialStore, trials: int, batch: int) -> tuple[list[float], list[float]]:
    """Seconds and CPU seconds a trial, of each turn."""
    store.renew("me")
    wall, cpu = [], []
    _, token = store.load_since(None, EXPERIMENT)
    for _ in range(trials // batch):
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        token = one_turn(store, batch, token)
        wall.append((time.perf_counter() - begun) / batch)
        cpu.append((time.thread_time() - begun_cpu) / batch)
    return wall, cpu


def shown_cost(name: str, wall: list[float], cpu: list[float], batch: int) -> str:
    tenth = max(len(wall) // 10, 1)
    growth = statistics.median(wall[-tenth:]) / statistics.median(wall[:tenth])
    high = sorted(wall)[int(len(wall) * 0.9)]
    used = f"CPU {1e3 * statistics.median(cpu):6.3f}" if cpu else " " * 10
    return (
        f"{name:<22} batches of {batch:>3}: {1e3 * statistics.median(wall):7.3f} ms a trial, "
        f"90 % below {1e3 * high:7.3f}, {used}; last tenth / first {growth:.2f}"
    )


@contextmanager
def statements_counted() -> Iterator[Callable[[], int]]:
    """How many statements were sent to databases since the block began."""
    import sqlalchemy as sa

    count = 0

    def note(*_: Any) -> None:
        nonlocal count
        count += 1

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield lambda: count
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def size_bytes(store: TrialStore, url: str) -> int | None:
    """What a store takes on its disk, where that can be asked for."""
    if url.startswith("sqlite"):
        store.close()  # which empties the log into the file
        return Path(url.removeprefix("sqlite:///")).stat().st_size
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return None if row is None else int(row[0])
    return None


def measure(name: str, url: str | None, options: argparse.Namespace) -> None:
    """Prints the numbers of one store."""
    store = MemoryStore() if url is None else open_store(url)
    with ExitStack() as stack:
        counted = stack.enter_context(statements_counted()) if url else None
        for batch in options.batches:
            before = size_bytes(store, url) if url else None
            statements = counted() if counted else 0
            wall, cpu = turns(store, options.trials, batch)
            print(shown_cost(name, wall, cpu, batch))
            after = size_bytes(store, url) if url else None
            if counted and before is not None and after is not None:
                sent = (counted() - statements) / options.trials
                size = (after - before) / options.trials
                print(f"{'':<22} {sent:.1f} statements and {size:.0f} bytes a trial")
    store.delete_all()
    store.insert([_finished(tid) for tid in range(options.history)])
    if url is not None:
        store.close()
        begun = time.perf_counter()
        store = open_store(url)
        n = len(store.load_since(None, EXPERIMENT)[0])
        print(f"{name:<22} opens {n} trials in {time.perf_counter() - begun:.2f} s")
    store.close()


def _finished(tid: int) -> Any:
    document = new_document(tid, {f"p{i}": 0.1 * i for i in range(LABELS)}, exp_key=EXPERIMENT)
    document["state"] = JOB_STATE_DONE if tid else JOB_STATE_NEW
    document["result"] = {"status": "ok", "loss": 0.5, "scores": [0.1] * 5}
    return document


def measure_optuna(python: str, name: str, url: str, options: argparse.Namespace) -> None:
    """Prints the numbers of one of Optuna's storages."""
    wanted = {
        "url": url,
        "trials": options.optuna_trials,
        "labels": LABELS,
        "history": options.optuna_history,
    }
    done = subprocess.run(
        [python, OPTUNA, json.dumps(wanted)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{name:<22} failed: {done.stderr.strip().splitlines()[-1]}")
        return
    numbers = json.loads(done.stdout)
    print(shown_cost(name, numbers["seconds"], [], 1))
    print(f"{name:<22} opens {numbers['trials']} trials in {numbers['opening']:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", nargs="*", default=["memory", "sqlite", "postgres"])
    parser.add_argument("--url", action="append", default=[], help="an empty store; emptied after")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8, 100])
    parser.add_argument("--history", type=int, default=10_000)
    parser.add_argument("--optuna-trials", type=int, default=200)
    parser.add_argument("--optuna-history", type=int, default=2000)
    options = parser.parse_args()
    python = os.environ.get("OPTUNA_PYTHON")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = None
        if "postgres" in options.stores:
            server = PostgresServer(durable=True)
            stack.callback(server.remove)

        def new_url(kind: str) -> str | None:
            if kind == "memory":
                return None
            if kind == "postgres" and server is not None:
                return server.new_database(f"b{uuid.uuid4().hex}")
            return f"sqlite:///{folder}/{uuid.uuid4().hex}.db"

        for kind in options.stores:
            measure(kind, new_url(kind), options)
        for url in options.url:
            measure(shown(url), url, options)
        if python is None:
            print("OPTUNA_PYTHON is not set, so Optuna is not measured")
            return
        for kind in [kind for kind in options.stores if kind != "memory"]:
            url = (new_url(kind) or "").replace("postgresql:", "postgresql+psycopg:", 1)
            measure_optuna(python, f"Optuna RDB, {kind}", url, options)
        measure_optuna(python, "Optuna journal", f"journal:{folder}/journal.log", options)


if __name__ == "__main__":
    main()
