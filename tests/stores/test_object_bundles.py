"""The log of a store of objects stays quick to read, whoever dies while it is put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktuner.errors import StaleTrial
from sparktuner.records import TrialStore, new_document
from sparktuner.stores import _object_bundles, _object_history, open_store


def opened(folder: Path) -> TrialStore:
    return open_store(f"file://{folder}")


def search(store: TrialStore, trials: int) -> None:
    """Writes three entries a trial, as a search does."""
    store.renew("me")
    for tid in store.allocate(trials, "me"):
        document = new_document(tid, {"x": tid})
        document["owner"] = "me"
        store.insert([document])
        for state in (1, 2):
            document["state"] = state
            store.update([document])


def history(store: TrialStore) -> list[tuple[int, int, int]]:
    return [(d["tid"], d["state"], d["version"]) for d in store.load_since()[0]]


def log(folder: Path, level: int) -> list[Path]:
    return sorted((folder / "log" / str(level)).iterdir())


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_object_history, "GRACE", -1.0)
    monkeypatch.setattr(_object_history, "_STALE", 1.0)


def test_entries_are_put_together_and_old_ones_removed(tmp_path: Path, no_grace: None) -> None:
    store = opened(tmp_path)
    search(store, 70)
    assert (len(log(tmp_path, 0)), len(log(tmp_path, 1))) == (211 - 192, 3)
    expected = [(tid, 2, 2) for tid in range(70)]
    assert history(store) == history(opened(tmp_path)) == expected


def test_entries_stay_for_an_hour_after_they_are_bundled(tmp_path: Path) -> None:
    search(opened(tmp_path), 22)
    assert (len(log(tmp_path, 0)), len(log(tmp_path, 1))) == (67, 1)


def test_bundles_are_bundled_again(
    tmp_path: Path, no_grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_object_bundles, _object_history):
        monkeypatch.setattr(module, "FAN_OUT", 4)
    monkeypatch.setattr("sparktuner.stores._objects.FAN_OUT", 4)
    store = opened(tmp_path)
    reader = opened(tmp_path)
    search(store, 10)
    _, token = reader.load_since()
    search(store, 30)
    assert [len(log(tmp_path, level)) for level in range(4)] == [2, 2, 3, 1]
    assert history(opened(tmp_path)) == history(store) == [(tid, 2, 2) for tid in range(40)]
    # One that was away meanwhile goes on in the middle of a bundle.
    reader._history._looked = -1e9  # type: ignore[attr-defined]
    assert [d["tid"] for d in reader.load_since(token)[0]] == list(range(10, 40))
    assert history(reader) == history(store)


def test_a_bundle_that_nobody_finished_is_made_by_the_next(
    tmp_path: Path, no_grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("sparktuner.stores._objects.tidy", lambda *_: None)
        search(store, 30)
    assert not (tmp_path / "log" / "1").exists()
    search(store, 30)
    assert len(log(tmp_path, 1)) == 2
    assert len(history(opened(tmp_path))) == 60


def test_removals_that_stopped_half_way_hide_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    search(store, 50)
    expected = history(store)
    for path in log(tmp_path, 0)[3:140:7]:
        if int(path.name) < 128:
            path.unlink()
    assert history(opened(tmp_path)) == expected
    assert history(store) == expected


def test_a_bundle_keeps_the_order_of_insertion(tmp_path: Path, no_grace: None) -> None:
    store = opened(tmp_path)
    store.insert([new_document(tid, {}) for tid in (9, 3, 5)])
    for _ in range(70):
        store.update(store.load_since()[0][:1])
    assert history(opened(tmp_path)) == [(9, 0, 70), (3, 0, 0), (5, 0, 0)]


def test_a_bundle_does_not_keep_what_was_deleted(tmp_path: Path, no_grace: None) -> None:
    store = opened(tmp_path)
    store.insert([new_document(0, {"secret": 1}, exp_key="a"), new_document(1, {}, exp_key="b")])
    store.delete_all("a")
    store.insert([new_document(0, {"other": 1}, exp_key="a")])
    search(store, 40)
    [*bundles] = log(tmp_path, 1)
    assert not any(b"secret" in path.read_bytes() for path in bundles)
    assert b"other" in bundles[0].read_bytes()
    documents = opened(tmp_path).load_since()[0]
    assert [(d["tid"], d["exp_key"]) for d in documents[:2]] == [(1, "b"), (0, "a")]


def test_a_writer_that_slept_for_hours_does_not_write_into_the_past(
    tmp_path: Path, no_grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper, other = opened(tmp_path), opened(tmp_path)
    other.insert([new_document(0, {})])
    [mine] = sleeper.load_since()[0]
    clock = [_object_history.now()]
    monkeypatch.setattr(_object_history, "now", lambda: clock[0])
    create = sleeper._bucket.create  # type: ignore[attr-defined]

    def sleep_and_create(key: str, data: bytes) -> bool:
        monkeypatch.setattr(sleeper._bucket, "create", create)  # type: ignore[attr-defined]
        other.update(other.load_since()[0])
        search(other, 30)
        clock[0] += 3 * 3600
        return bool(create(key, data))

    monkeypatch.setattr(sleeper._bucket, "create", sleep_and_create)  # type: ignore[attr-defined]
    with pytest.raises(StaleTrial):
        sleeper.update([mine])
    assert history(opened(tmp_path)) == history(other) == history(sleeper)
    assert len(history(other)) == 31


def test_owners_that_nobody_asks_for_any_more_are_removed(tmp_path: Path) -> None:
    import os

    store = opened(tmp_path)
    store.renew("long ago")
    [path] = (tmp_path / "owners").iterdir()
    os.utime(path, (path.stat().st_mtime - 1e6,) * 2)
    search(store, 30)
    assert not path.exists()
