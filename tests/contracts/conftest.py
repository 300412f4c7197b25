"""A store of each kind, for the suite that all of them keep to."""

from __future__ import annotations

import pytest

from sparktuner.records import MemoryStore, TrialStore


@pytest.fixture
def memory_store() -> TrialStore:
    return MemoryStore()
