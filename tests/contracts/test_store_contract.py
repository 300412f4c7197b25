"""What every trial store keeps to."""

from __future__ import annotations

import io
import threading

import pytest

from sparktuner.errors import InvalidTrial, StaleTrial
from sparktuner.records import MOST_RESTARTS, Tid, TrialDocument, TrialStore, new_document
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_NEW, JOB_STATE_RUNNING

# Each has a fixture `<name>_store` in conftest.py.
STORES = [
    "memory",
    "sqlite",
    "objects",
    *(pytest.param(name, marks=pytest.mark.service) for name in ("postgres", "mongo", "s3")),
]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> TrialStore:
    found: TrialStore = request.getfixturevalue(f"{request.param}_store")
    return found


def documents_in(store: TrialStore, token: object = None) -> list[TrialDocument]:
    return store.load_since(token)[0]


def tids(store: TrialStore, token: object = None) -> list[Tid]:
    return [document["tid"] for document in documents_in(store, token)]


def inserted(store: TrialStore, tid: Tid, **values: object) -> None:
    document = new_document(tid, {"x": 1.0})
    document.update(values)  # type: ignore[typeddict-item]
    store.insert([document])


def test_allocated_ids_are_new_and_above_all_that_are_known(store: TrialStore) -> None:
    first = store.allocate(3)
    store.insert([new_document(40, {})])
    assert len({*first, *store.allocate(2), 40}) == 6
    assert min(store.allocate(1)) > 40


def test_ids_of_an_owner_who_is_gone_are_handed_out_again_lowest_first(store: TrialStore) -> None:
    store.renew("first")
    assert store.allocate(4, "first") == [0, 1, 2, 3]
    store.insert([new_document(1, {})])
    store.renew("second")
    assert store.allocate(1, "second") == [4]
    store.release("first")
    assert store.allocate(4, "second") == [0, 2, 3, 5]
    store.release("second")
    # Those of nobody are never used again: nobody can tell whether they are in use.
    assert store.allocate(2) == [0, 2]
    assert store.allocate(3) == [3, 4, 5]
    assert store.allocate(1) == [6]


def test_an_owner_finds_its_ids_that_have_no_document(store: TrialStore) -> None:
    store.renew("me")
    store.renew("other")
    mine = store.allocate(3, "me", "x")
    store.allocate(2, "other", "x")
    store.allocate(1)
    assert store.allocated("me") == mine
    store.insert([new_document(mine[1], {}, exp_key="x")])
    assert store.allocated("me") == [mine[0], mine[2]]
    assert store.allocated("nobody") == []
    store.release("other")
    store.allocate(3, "me", "y")
    assert store.allocated("me") == [0, 2, 3, 4, 6]


def test_no_more_ids_are_handed_out_than_the_limit_leaves(store: TrialStore) -> None:
    store.renew("a")
    store.renew("b")
    store.insert([new_document(tid, {}, exp_key="x") for tid in store.allocate(3, "a", "x", 10)])
    assert len(store.allocate(9, "a", "x", 8)) == 5
    assert store.allocate(9, "b", "x", 8) == []
    assert len(store.allocate(2, "b", "y", 2)) == 2
    store.release("a")
    assert len(store.allocate(9, "b", "x", 9)) == 6
    assert store.allocate(1, "b", "x", 0) == []
    assert len(store.allocate(5, None, "z")) == len(store.allocate(5, "b", "z", 5)) == 5


def test_a_trial_whose_drivers_die_again_and_again_has_failed(store: TrialStore) -> None:
    inserted(store, 0, state=JOB_STATE_RUNNING)
    store.renew("me")
    for restarts in range(1, MOST_RESTARTS + 1):
        [document] = store.claim("me")
        assert document["misc"]["restarts"] == restarts
        document["state"], document["owner"] = JOB_STATE_RUNNING, None
        store.update([document])
    assert store.claim("me") == []
    [document] = documents_in(store)
    assert document["state"] == JOB_STATE_ERROR
    assert document["misc"]["error"][0] == "TrialLost"


def test_documents_come_back_in_the_order_of_their_insertion(store: TrialStore) -> None:
    store.insert([new_document(tid, {"x": tid}) for tid in (3, 1, 2)])
    documents = documents_in(store)
    assert [d["misc"]["vals"] for d in documents] == [{"x": [3]}, {"x": [1]}, {"x": [2]}]


def test_documents_go_in_and_come_out_as_copies(store: TrialStore) -> None:
    mine = new_document(0, {"x": 1.0})
    store.insert([mine])
    [theirs] = documents_in(store)
    for document in (mine, theirs):
        document["state"] = JOB_STATE_DONE
        document["result"]["loss"] = 9.0
        document["misc"]["vals"]["x"][0] = 7.0
        document["misc"]["error"] = ("KeyError", "'x'")
    assert documents_in(store) == [new_document(0, {"x": 1.0})]


def test_only_what_changed_since_a_token_is_loaded(store: TrialStore) -> None:
    store.insert([new_document(tid, {}) for tid in range(4)])
    documents, token = store.load_since()
    assert store.load_since(token) == ([], token)
    documents[2]["state"] = 1
    store.update([documents[2]])
    store.insert([new_document(9, {})])
    assert tids(store, token) == [2, 9]
    assert tids(store) == [0, 1, 2, 3, 9]


def test_only_the_documents_of_an_experiment_are_loaded(store: TrialStore) -> None:
    store.insert([new_document(tid, {}, exp_key=key) for tid, key in enumerate("aba")])
    documents, token = store.load_since(None, "a")
    assert [document["tid"] for document in documents] == [0, 2]
    store.insert([new_document(3, {}, exp_key="b"), new_document(4, {}, exp_key="a")])
    assert [d["tid"] for d in store.load_since(token, "a")[0]] == [4]


def test_an_update_counts_the_version_up(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    [document], token = store.load_since()
    store.update([document])
    assert document["version"] == 1
    assert documents_in(store, token)[0]["version"] == 1


def test_an_update_of_an_old_version_is_refused_and_the_others_are_written(
    store: TrialStore,
) -> None:
    store.insert([new_document(tid, {}) for tid in range(3)])
    first, second, third = documents_in(store)
    _, stale, _ = documents_in(store)
    store.update([second])
    with pytest.raises(StaleTrial, match="trial 1 was changed or deleted") as refused:
        store.update([first, stale, third])
    assert refused.value.tids == [1]
    assert [document["version"] for document in documents_in(store)] == [1, 1, 1]
    store.delete_all()
    with pytest.raises(StaleTrial):
        store.update([first])


def test_of_many_updates_of_one_version_one_is_written(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    copies = [documents_in(store)[0] for _ in range(8)]
    refused = []

    def update(document: TrialDocument) -> None:
        try:
            store.update([document])
        except StaleTrial:
            refused.append(document)

    threads = [threading.Thread(target=update, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7


def test_a_taken_id_is_refused_and_nothing_is_inserted(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    with pytest.raises(InvalidTrial, match="tid 0 already"):
        store.insert([new_document(1, {}), new_document(0, {})])
    with pytest.raises(InvalidTrial, match="same tid"):
        store.insert([new_document(2, {}), new_document(2, {})])
    assert tids(store) == [0]


def test_what_nobody_owns_can_be_claimed_by_one_alone(store: TrialStore) -> None:
    for tid in (5, 3, 4):
        inserted(store, tid)
    inserted(store, 6, state=JOB_STATE_DONE)
    store.renew("a")
    store.renew("b")
    assert [document["tid"] for document in store.claim("a", limit=2)] == [5, 3]
    [claimed] = store.claim("b")
    assert (claimed["tid"], claimed["owner"]) == (4, "b")
    assert store.claim("a") == store.claim("b") == []


def test_owners_are_known_while_they_live(store: TrialStore) -> None:
    assert store.owners() == []
    store.renew("b")
    store.renew("a")
    store.renew("a")
    assert sorted(store.owners()) == ["a", "b"]
    store.release("b")
    store.release("never seen")
    assert store.owners() == ["a"]


def test_claims_from_many_threads_share_the_trials_out(store: TrialStore) -> None:
    store.insert([new_document(tid, {}) for tid in range(60)])
    claimed: list[Tid] = []

    def work(owner: str) -> None:
        store.renew(owner)
        while got := store.claim(owner, limit=1):
            claimed.extend(document["tid"] for document in got)

    threads = [threading.Thread(target=work, args=(f"worker {i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == list(range(60))


def test_a_claim_takes_its_own_experiments_trials_alone(store: TrialStore) -> None:
    inserted(store, 0, exp_key="a")
    inserted(store, 1, exp_key="b")
    store.renew("me")
    assert [document["tid"] for document in store.claim("me", "b")] == [1]


def test_what_an_owner_runs_is_claimed_only_when_it_is_gone(store: TrialStore) -> None:
    store.renew("first")
    inserted(store, 0, owner="first")
    inserted(store, 1, owner="first", state=JOB_STATE_RUNNING)
    store.renew("second")
    assert store.claim("second") == []
    store.release("first")
    claimed = store.claim("second")
    assert [(d["tid"], d["state"], d["owner"]) for d in claimed] == [
        (0, JOB_STATE_NEW, "second"),
        (1, JOB_STATE_NEW, "second"),
    ]


def test_what_was_claimed_cannot_be_written_by_its_former_owner(store: TrialStore) -> None:
    store.renew("first")
    inserted(store, 0, owner="first", state=JOB_STATE_RUNNING)
    [mine] = documents_in(store)
    store.release("first")
    store.renew("second")
    store.claim("second")
    mine["state"] = JOB_STATE_DONE
    with pytest.raises(StaleTrial):
        store.update([mine])


def test_attachments_are_kept_by_name(store: TrialStore) -> None:
    store.attachments["curve"] = b"123"
    assert dict(store.attachments) == {"curve": b"123"}


def test_attachments_of_bytes_are_streams_too(store: TrialStore) -> None:
    large = bytes(range(256)) * 12_000
    store.attachments.write("ATTACH::0::large", io.BytesIO(large))
    store.attachments["ATTACH::0::small"] = b""
    store.attachments["other"] = {"a": (1, 2)}
    assert store.attachments["ATTACH::0::large"] == large
    with store.attachments.open("ATTACH::0::large") as stream:
        assert stream.read(10) + stream.read() == large
    assert store.attachments.read_bytes("ATTACH::0::small") == b""
    assert sorted(store.attachments.names("ATTACH::0::")) == [
        "ATTACH::0::large",
        "ATTACH::0::small",
    ]
    assert store.attachments["other"] == {"a": (1, 2)}
    with pytest.raises(TypeError, match="other"):
        store.attachments.open("other")
    store.attachments["ATTACH::0::large"] = b"another"
    assert store.attachments["ATTACH::0::large"] == b"another"
    del store.attachments["ATTACH::0::large"]
    for missing in (store.attachments.__getitem__, store.attachments.open):
        with pytest.raises(KeyError):
            missing("ATTACH::0::large")
    with pytest.raises(KeyError):
        del store.attachments["ATTACH::0::large"]
    assert "ATTACH::0::large" not in store.attachments


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/x", "a/b", "a b%2f", "ü", "", "\ud800", "a" * 300]
)
def test_attachments_have_names_of_any_kind(store: TrialStore, name: str) -> None:
    store.attachments[name] = b"1"
    assert store.attachments[name] == b"1"
    assert list(store.attachments) == [name]


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
