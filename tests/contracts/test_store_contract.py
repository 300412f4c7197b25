"""What every trial store keeps to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sparktuner.errors import InvalidTrial
from sparktuner.records import MemoryStore, TrialStore, new_document

STORES: list[Callable[[], TrialStore]] = [MemoryStore]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> TrialStore:
    return request.param()  # type: ignore[no-any-return]


def tids(store: TrialStore, revision: int = 0) -> list[object]:
    return [document["tid"] for document in store.load_since(revision)[0]]


def test_allocated_ids_are_new_and_above_all_that_are_known(store: TrialStore) -> None:
    first = store.allocate(3)
    store.insert([new_document(40, {})])
    assert len({*first, *store.allocate(2), 40}) == 6
    assert min(store.allocate(1)) > 40


def test_documents_come_back_in_the_order_of_their_insertion(store: TrialStore) -> None:
    store.insert([new_document(tid, {"x": tid}) for tid in (3, 1, 2)])
    documents, _ = store.load_since(0)
    assert [d["misc"]["vals"] for d in documents] == [{"x": [3]}, {"x": [1]}, {"x": [2]}]


def test_only_what_changed_since_a_revision_is_loaded(store: TrialStore) -> None:
    store.insert([new_document(tid, {}) for tid in range(4)])
    documents, revision = store.load_since(0)
    assert store.load_since(revision) == ([], revision)
    documents[2]["state"] = 1
    store.update(documents[2])
    store.insert([new_document(9, {})])
    assert tids(store, revision) == [2, 9]
    assert tids(store) == [0, 1, 2, 3, 9]


def test_an_update_counts_the_version_up(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    [document], revision = store.load_since(0)
    store.update(document)
    [document], _ = store.load_since(revision)
    assert document["version"] == 1


def test_an_update_of_an_old_version_is_refused(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    [document], _ = store.load_since(0)
    stale = dict(document)
    store.update(document)
    with pytest.raises(InvalidTrial, match="changed or deleted by somebody else"):
        store.update(stale)


def test_a_taken_id_is_refused_and_nothing_is_inserted(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    with pytest.raises(InvalidTrial, match="tid 0 already"):
        store.insert([new_document(1, {}), new_document(0, {})])
    with pytest.raises(InvalidTrial, match="same tid"):
        store.insert([new_document(2, {}), new_document(2, {})])
    assert tids(store) == [0]


def test_attachments_are_kept_by_name(store: TrialStore) -> None:
    store.attachments["curve"] = b"123"
    assert dict(store.attachments) == {"curve": b"123"}


def test_deleting_an_experiment_leaves_the_others(store: TrialStore) -> None:
    store.insert([new_document(0, {}, exp_key="a"), new_document(1, {}, exp_key="b")])
    store.attachments["ATTACH::0::m"] = 1
    store.attachments["ATTACH::1::m"] = 2
    store.delete_all("a")
    assert tids(store) == [1]
    assert dict(store.attachments) == {"ATTACH::1::m": 2}
    store.delete_all()
    assert tids(store) == []
    assert not store.attachments
