"""Drivers that are killed at random moments, on a store of each kind; takes half an hour.

``python -m tests.faults.crash_stores`` kills 20 with SparkTrials on each store, then as many
where two share a search, and 200 with ThreadTrials on SQLite and on a folder. Servers are
started here. ``--help`` has what to change.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults import crash_spark
from tests.faults.crashing import killed_again_and_again
from tests.servers.ferretdb import ferretdb
from tests.servers.postgres import PostgresServer
from tests.servers.s3 import s3_server

STORES = ["sqlite", "folder", "postgresql", "mongodb", "s3"]


@contextmanager
def store(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a store of this kind that nobody has used; its server runs meanwhile."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{uuid.uuid4().hex}.db?lease=2"
    elif kind == "folder":
        yield f"file://{folder}/{uuid.uuid4().hex}?lease=2"
    elif kind == "postgresql":
        server = PostgresServer(durable=True)
        try:
            yield f"{server.new_database('crashes')}?lease=2"
        finally:
            server.remove()
    elif kind == "mongodb":
        with ferretdb() as mongo:
            yield f"{mongo.url}/crashes?lease=2"
    else:
        with s3_server() as s3:
            yield f"{s3.url('crashes')}&lease=2"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="on each store, with SparkTrials")
    parser.add_argument("--thread-kills", type=int, default=200, help="on SQLite and on a folder")
    parser.add_argument("--drivers", type=int, nargs="+", default=[1, 2], help="side by side")
    parser.add_argument("--store", nargs="+", choices=STORES, default=STORES)
    options = parser.parse_args()
    for kind in options.store:
        for drivers in options.drivers:
            with tempfile.TemporaryDirectory() as name, store(kind, Path(name)) as url:
                if options.kills:
                    killed = crash_spark.kill_until_done(url, options.kills, Path(name), drivers)
                    print(f"{kind}, SparkTrials, {drivers} at once: {killed} killed", flush=True)
                if options.thread_kills and kind in ("sqlite", "folder"):
                    kills = options.thread_kills
                    killed = killed_again_and_again(url, drivers, kills, Path(name))
                    print(f"{kind}, ThreadTrials, {drivers} at once: {killed} killed", flush=True)


if __name__ == "__main__":
    main()
