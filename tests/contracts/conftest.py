"""A store of each kind, for the suite that all of them keep to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparktuner.records import MemoryStore, TrialStore
from sparktuner.stores import open_store
from tests.servers.postgres import PostgresServer
from tests.servers.s3 import S3Server


@pytest.fixture
def memory_store() -> TrialStore:
    return MemoryStore()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[TrialStore]:
    pytest.importorskip("sqlalchemy")
    store = open_store(f"sqlite:///{tmp_path}/tuning.db")
    yield store
    store.close()


@pytest.fixture
def postgres_store(postgres: PostgresServer) -> Iterator[TrialStore]:
    pytest.importorskip("sqlalchemy")
    store = open_store(postgres.new_database(f"t{uuid.uuid4().hex}"))
    yield store
    store.close()


@pytest.fixture
def mongo_store(mongo_url: str) -> Iterator[TrialStore]:
    store = open_store(mongo_url)
    yield store
    store.close()


@pytest.fixture
def objects_store(tmp_path: Path) -> TrialStore:
    return open_store(f"file://{tmp_path}/trials")


@pytest.fixture
def s3_store(s3: S3Server) -> TrialStore:
    return open_store(s3.url(f"bucket-{uuid.uuid4().hex}"))
