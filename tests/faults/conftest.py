"""The two kinds of session that each fault is tried on, and a job of the user's beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.leftovers import leaves_nothing
from tests.waiting import PATIENCE, wait_until


@dataclass
class Site:
    """A session of one kind.

    Attributes:
        kind: ``"classic"`` or ``"connect"``.
        session: shared by all tests.
        unchanged: surrounds what must leave nothing behind, and nothing of the user's cancelled.
    """

    kind: str
    session: Any
    unchanged: Callable[[], AbstractContextManager[None]]


@pytest.fixture(
    params=[
        pytest.param("classic", marks=pytest.mark.spark),
        pytest.param("connect", marks=[pytest.mark.spark, pytest.mark.service]),
    ]
)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    if request.param == "classic":
        session, files = request.getfixturevalue("local_spark"), None
    else:
        session = request.getfixturevalue("connect_spark")
        # Without clones (before Spark 4.1) what is shipped ends with the user's session.
        clones = hasattr(session, "cloneSession")
        files = request.getfixturevalue("connect_server").folder if clones else None
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    @contextmanager
    def unchanged() -> Iterator[None]:
        # In this order: on Connect the job's own client starts threads at a time of its own.
        with leaves_nothing(session, files), users_job(session, tmp_path):
            yield

    return Site(request.param, session, unchanged)


@contextmanager
def users_job(session: Any, folder: Path) -> Iterator[None]:
    """Keep one slot busy with a job of the user's own, and check that it ends well."""
    started, release = folder / "user.started", folder / "user.release"

    def hold(batches: Any) -> Any:
        started.touch()
        while not release.exists():
            time.sleep(0.05)
        yield from batches

    counted: list[int] = []
    frame = session.range(0, 1, 1, 1).mapInArrow(hold, "id long")
    thread = threading.Thread(target=lambda: counted.append(frame.count()))
    thread.start()
    try:
        wait_until(started.exists)
        yield
    finally:
        release.touch()
        thread.join(PATIENCE)
    assert counted == [1]
