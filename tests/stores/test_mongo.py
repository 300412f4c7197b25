"""MongoDB: Hyperopt's layout, one writer at a time, and what is refused."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparktuner.errors import InvalidTrial, StaleTrial, StoreError, StoreUnavailable
from sparktuner.mongoexp import MongoTrials
from sparktuner.records import TrialDocument, new_document
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_NEW, JOB_STATE_RUNNING
from sparktuner.stores import Kept, open_store
from tests.servers.ferretdb import FerretDB, ferretdb

pytest.importorskip("pymongo")

import pymongo.errors
import pymongo.monitoring
from gridfs import GridFS

from sparktuner.stores import _gridfs, _mongo_client, _mongo_ids, _turns
from sparktuner.stores._mongo import MongoStore
from sparktuner.stores._mongo_client import place_of, translated


@pytest.fixture
def store(mongo_url: str) -> Iterator[MongoStore]:
    store = MongoStore(mongo_url)
    yield store
    store.close()


@pytest.fixture
def database(mongo_url: str) -> Iterator[Any]:
    with pymongo.MongoClient(mongo_url) as client:
        yield client.get_default_database()


def hyperopts(tid: int, state: int, **values: Any) -> dict[str, Any]:
    """A document as Hyperopt 0.3.0 inserts it, or its worker leaves it."""
    return {
        "state": state,
        "tid": tid,
        "spec": None,
        "result": {"status": "new"},
        "misc": {
            "tid": tid,
            "cmd": ["domain_attachment", "FMinIter_Domain"],
            "workdir": None,
            "idxs": {"x": [tid]},
            "vals": {"x": [0.5]},
        },
        "exp_key": "e",
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
        **values,
    }


# --- Hyperopt's layout


def test_a_collection_of_hyperopts_is_gone_on_with(mongo_url: str, database: Any) -> None:
    noon = datetime(2024, 5, 1, 12)
    done = {"result": {"status": "ok", "loss": 0.25}, "version": 2, "book_time": noon}
    database.jobs.insert_many(
        [
            hyperopts(0, JOB_STATE_DONE, owner=["host:12"], **done),
            hyperopts(1, JOB_STATE_ERROR, error=["<class 'KeyError'>", "'x'"]),
            hyperopts(2, JOB_STATE_NEW),
        ]
    )
    database.job_ids.insert_one({"a": 0, "last_id": 5})
    GridFS(database).put(b"pickled", filename="FMinIter_Domain", exp_key="e")
    with_url = f"{mongo_url.replace('mongodb://', 'mongo://')}/jobs"
    store = open_store(with_url)
    first, failed, waiting = store.load_since(None, "e")[0]
    assert (first["result"]["loss"], first["owner"], first["book_time"]) == (0.25, "host:12", noon)
    assert failed["misc"]["error"] == ("<class 'KeyError'>", "'x'")
    assert waiting["misc"]["vals"] == {"x": [0.5]}
    store.renew("me")
    [claimed] = store.claim("me", "e")
    claimed["state"] = JOB_STATE_RUNNING
    store.update([claimed])
    assert store.allocate(2) == [5, 6]
    assert database.job_ids.find_one()["last_id"] == 7
    assert dict(store.attachments) == {"FMinIter_Domain": b"pickled"}


def test_documents_are_as_hyperopt_reads_them(store: MongoStore, database: Any) -> None:
    [tid] = store.allocate(1)
    document = new_document(tid, {"x": 0.5, "k": 1}, ["unused"], "e")
    document["result"] = {"status": "ok", "loss": 0.5, "curve": [1.0, 2.0], "blob": b"12"}
    store.insert([document])
    [found] = database.jobs.find()
    assert {k: v for k, v in found.items() if not k.startswith("_")} == {
        **document,
        "misc": {**document["misc"], "cmd": ["domain_attachment", "FMinIter_Domain"]},
    }
    assert database.job_ids.find_one({"a": 0})["last_id"] == 1
    store.attachments["notes"] = b"text"
    assert GridFS(database).get_last_version("notes").read() == b"text"


def test_what_hyperopt_attached_to_a_trial_is_found_by_the_trials_list(
    store: MongoStore, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.insert([new_document(3, {})])
    [job] = database.jobs.find()
    files = GridFS(database)
    listed = [["model", files.put(b"m", filename=f"{job['_id']}_model")]]
    # FerretDB keeps no lists of lists, so what MongoDB would answer is put in by hand.
    monkeypatch.setattr(
        _gridfs, "_listed", lambda found: [tuple(e) for e in listed] if "_id" in found else []
    )
    database.jobs.update_one({"tid": 3}, {"$set": {"_attachments": ["there"]}})
    assert store.attachments["ATTACH::3::model"] == b"m"
    assert list(store.attachments.names("ATTACH::3::")) == ["ATTACH::3::model"]
    store.delete_all()
    assert not files.list()


def test_a_trials_document_lists_its_files_as_hyperopt_has_it(store: MongoStore) -> None:
    # By a stand-in for the collection: FerretDB keeps no lists of lists.
    document: dict[str, Any] = {"tid": 3, "_attachments": [["model", "old"], ["curve", "c"]]}
    jobs = SimpleNamespace(
        find_one=lambda query, fields: document if query == {"tid": 3} else None,
        update_one=lambda query, change: document.update(change["$set"]),
    )
    connection: Any = SimpleNamespace(jobs=jobs)
    blobs: Any = store._blobs
    blobs._push(connection, "ATTACH::3::model", "new")
    assert document["_attachments"] == [["curve", "c"], ["model", "new"]]
    blobs._push(connection, "ATTACH::3::curve", None)
    assert document["_attachments"] == [["model", "new"]]
    blobs._push(connection, "no trial's", "x")
    assert document["_attachments"] == [["model", "new"]]


def test_trials_under_hyperopts_name_are_in_the_collection_that_it_names(mongo_url: str) -> None:
    MongoStore(f"{mongo_url}/jobs2").insert([new_document(0, {"x": 0.5}, exp_key="e")])
    url = f"{mongo_url.removeprefix('mongodb://')}/jobs2"
    trials = MongoTrials(url, exp_key="e", cmd=("domain_attachment", "x"), workdir="here")
    assert (len(trials), trials.asynchronous) == (1, True)
    assert trials.store.location == f"mongo://{url}"
    assert repr(trials) == "<MongoTrials of exp_key 'e': 1 waiting>"


@pytest.mark.parametrize("name", ["MongoJobs", "MongoWorker", "MongoCtrl", "main_worker"])
def test_what_is_not_there_of_hyperopts_says_what_to_use(name: str) -> None:
    with pytest.raises(ImportError, match=f"no {name}; use .*sparktuner"):
        exec(f"from sparktuner.mongoexp import {name}")


def test_two_collections_of_one_database_do_not_touch_each_other(mongo_url: str) -> None:
    one, other = MongoStore(f"{mongo_url}/one"), MongoStore(f"{mongo_url}/other")
    ids = [*one.allocate(2), *other.allocate(2)]
    assert len(set(ids)) == 4
    one.insert([new_document(ids[0], {})])
    one.attachments["a"] = 1
    other.attachments["a"] = 2
    other.delete_all()
    assert len(one.load_since()[0]) == 1
    assert dict(one.attachments) == {"a": 1}


# --- whole documents


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary(max_size=50)
    | st.datetimes()
    | st.decimals(allow_nan=False)
    | st.just(np.float32(0.5)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@given(results=st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4), max_size=3))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_documents_come_back_as_they_were(store: MongoStore, results: list[Any]) -> None:
    token = store.load_since()[1]
    documents = [new_document(tid, {"a.b": 1, "$c": 0.1}) for tid in store.allocate(len(results))]
    for document, result in zip(documents, results, strict=True):
        document["result"] = result
    store.insert(documents)
    assert store.load_since(token)[0] == documents


def test_values_that_servers_refuse_come_back(store: MongoStore) -> None:
    document = new_document(0, {})
    document["result"] = {"loss": float("nan"), "bounds": [float("inf"), -0.0], "m": [[1], [2]]}
    store.insert([document])
    [found] = store.load_since()[0]
    assert repr(found["result"]) == repr(document["result"])


def test_a_model_is_kept_beside_its_document(store: MongoStore) -> None:
    document = new_document(0, {})
    document["result"] = {"loss": 1.0, "model": print, "large": np.zeros(20_000)}
    store.insert([document])
    [found] = store.load_since()[0]
    assert found["result"]["model"] == Kept("result.model")
    assert store.attachments["ATTACH::0::result.model"] is print
    assert store.attachments["ATTACH::0::result.large"].shape == (20_000,)


# --- several writers


def work(store: MongoStore, seed: int, rounds: int, out: Any) -> None:
    """A writer: inserts trials, claims and ends what it can get, and reports what it did."""
    owner = f"writer {seed}"
    store.renew(owner)
    made, ended = [], []
    for _ in range(rounds):
        tids = store.allocate(3)
        made += tids
        store.insert([new_document(tid, {"x": seed}) for tid in tids])
        for document in store.claim(owner, limit=2):
            document["state"] = JOB_STATE_DONE
            document["result"] = {"status": "ok", "by": owner, "misses": 0}
            store.update([document])
            ended.append(document["tid"])
        # All writers count in one document, and none of their counts may be lost.
        while True:
            [shared] = [d for d in store.load_since(None, "shared")[0] if d["tid"] == 0]
            shared["result"]["count"] += 1
            try:
                store.update([shared])
                break
            except StaleTrial:
                pass
    out.put((made, ended))


def test_eight_processes_share_a_store(store: MongoStore, mongo_url: str) -> None:
    store.allocate(1)
    shared = new_document(0, {}, exp_key="shared")
    shared["state"], shared["result"] = JOB_STATE_DONE, {"count": 0}
    store.insert([shared])
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    # The parent's own store after a fork, and others.
    stores = [store if i % 2 else MongoStore(mongo_url) for i in range(8)]
    writers = [
        context.Process(target=work, args=(each, i, 2, out)) for i, each in enumerate(stores)
    ]
    for writer in writers:
        writer.start()
    seen: dict[int, int] = {}
    token: object = None
    reports: list[Any] = []
    while len(reports) < len(writers):
        documents, token = store.load_since(token)
        seen.update({document["tid"]: document["version"] for document in documents})
        while not out.empty():
            reports.append(out.get())
        assert all(writer.exitcode in (None, 0) for writer in writers)
    for writer in writers:
        writer.join()
    made = [tid for tids, _ in reports for tid in tids]
    ended = [tid for _, tids in reports for tid in tids]
    assert len(set(made)) == len(made) == 48
    assert len(set(ended)) == len(ended) == 32
    seen.update({d["tid"]: d["version"] for d in store.load_since(token)[0]})
    everything = {d["tid"]: d for d in store.load_since()[0]}
    assert set(everything) == {0, *made}
    assert everything[0]["result"]["count"] == 16
    # A reader that only ever asked for what is new has missed nothing.
    assert seen == {tid: document["version"] for tid, document in everything.items()}


def open_and_insert(url: str, out: Any) -> None:
    store = MongoStore(url)
    tids = store.allocate(2)
    store.insert([new_document(tid, {}) for tid in tids])
    out.put(tids)


def test_many_processes_open_a_new_store_at_once(mongo_server: FerretDB) -> None:
    context = multiprocessing.get_context("fork")
    for i in range(3):
        url, out = f"{mongo_server.url}/new{i}", context.Queue()
        openers = [context.Process(target=open_and_insert, args=(url, out)) for _ in range(8)]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join()
        assert [opener.exitcode for opener in openers] == [0] * 8
        tids = [tid for _ in openers for tid in out.get()]
        assert sorted(tids) == list(range(16))
        assert len(MongoStore(url).load_since()[0]) == 16


def insert_for_ever(url: str) -> None:
    store = MongoStore(url)
    while True:
        store.insert([new_document(tid, {}) for tid in store.allocate(5)])


def test_a_writer_that_is_killed_leaves_whole_insertions(
    store: MongoStore, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_turns, "PATIENCE", 0.5)
    context = multiprocessing.get_context("fork")
    for wait in (0.31, 0.43):
        writer = context.Process(target=insert_for_ever, args=(mongo_url,))
        before = len(store.load_since()[0])
        writer.start()
        while len(store.load_since()[0]) == before:
            time.sleep(0.05)
        time.sleep(wait)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        store.insert([new_document(tid, {}, exp_key="mine") for tid in store.allocate(5)])
        tids = [document["tid"] for document in store.load_since()[0]]
        assert len(tids) % 5 == 0
        assert len(set(tids)) == len(tids)


def test_a_writer_that_was_taken_for_dead_takes_its_insertion_back(
    store: MongoStore, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_turns, "PATIENCE", 0.3)
    other = MongoStore(mongo_url)
    other.insert([new_document(0, {})])
    documents, token = store.load_since()
    slow = threading.Event()
    write = store._write

    def held_up(*arguments: Any) -> Any:
        slow.wait(5)
        return write(*arguments)

    monkeypatch.setattr(store, "_write", held_up)
    errors: list[Exception] = []

    def update() -> None:
        try:
            store.update(documents)
        except StoreUnavailable as error:
            errors.append(error)

    thread = threading.Thread(target=update)
    thread.start()
    time.sleep(0.1)
    other.insert([new_document(1, {})])
    _, token = other.load_since(token)
    slow.set()
    thread.join()
    assert "took more than" in str(errors[0])
    # Written so late, and seen by whoever had looked meanwhile.
    assert [(d["tid"], d["version"]) for d in other.load_since(token)[0]] == [(0, 1)]


def test_an_insertion_whose_server_is_killed_is_whole_or_not_there(tmp_path: Path) -> None:
    with ferretdb() as server:
        store = MongoStore(f"{server.url}/d?serverSelectionTimeoutMS=500")
        store.insert([new_document(0, {})])
        server.kill()
        began = time.monotonic()
        for call in (store.load_since, lambda: store.insert([new_document(1, {})])):
            with pytest.raises(StoreUnavailable, match=rf"127\.0\.0\.1:{server.port}"):
                call()
        assert time.monotonic() - began < 10
        server.start()
        store.insert([new_document(2, {})])
        assert [document["tid"] for document in store.load_since()[0]] == [0, 2]
        store.close()
        assert store.claim("me")[0]["tid"] == 0


class Counted(pymongo.monitoring.CommandListener):
    """Counts what is sent to the server."""

    def __init__(self) -> None:
        self.sent = 0

    def started(self, event: object) -> None:
        self.sent += 1

    def succeeded(self, event: object) -> None:
        pass

    def failed(self, event: object) -> None:
        pass


def test_a_batch_takes_as_many_round_trips_as_one_document(
    mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted()
    client = partial(pymongo.MongoClient, event_listeners=[counted])
    monkeypatch.setattr(_mongo_client, "MongoClient", client)
    store = MongoStore(mongo_url)
    store.renew("me")
    store.insert([new_document(tid, {}) for tid in store.allocate(1, "me")])

    def sent(call: Callable[[], Any]) -> int:
        counted.sent = 0
        call()
        return counted.sent

    for n in (1, 40):
        tids = store.allocate(n, "me")
        assert sent(lambda n=n: store.allocate(n, "me", None, 10_000)) <= 11  # type: ignore[misc]
        assert sent(lambda t=tids: store.insert([new_document(i, {}) for i in t])) == 5  # type: ignore[misc]
    documents, token = store.load_since()
    assert sent(lambda: store.update(documents[:1])) == sent(lambda: store.update(documents[1:]))
    _, token = store.load_since(token)
    assert sent(lambda: store.load_since(token)) == 1
    assert sent(lambda: store.claim("me", "nothing")) == 3


@pytest.mark.parametrize("found_by", ["its owner", "others"])
def test_ids_whose_writer_died_before_they_were_counted_are_handed_out_once(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch, found_by: str
) -> None:
    def gone(*_: object) -> NoReturn:
        raise pymongo.errors.AutoReconnect

    with monkeypatch.context() as patched:
        patched.setattr(_mongo_ids.Ids, "_counted", gone)
        with pytest.raises(StoreUnavailable):
            store.allocate(2, "me")
    # Who is not alive has left them to others.
    ids = store.allocated("me") if found_by == "its owner" else store.allocate(2, "another")
    assert ids == [0, 1]
    store.insert([new_document(tid, {}) for tid in ids])
    assert store.allocate(2, "a third") == [2, 3]


# --- what is refused


def test_a_collection_of_somebody_elses_is_refused_untouched(
    mongo_url: str, database: Any
) -> None:
    database.jobs.insert_one({"title": "engineer"})
    store = MongoStore(mongo_url)
    calls: list[Callable[[], object]] = [
        store.load_since,
        lambda: store.insert([new_document(0, {})]),
        lambda: store.renew("me"),
        store.delete_all,
    ]
    for call in calls:
        with pytest.raises(StoreError, match=r"127\.0\.0\.1.*no trials.*nothing was changed"):
            call()
    assert database.list_collection_names() == ["jobs"]
    assert [index["name"] for index in database.jobs.list_indexes()] == ["_id_"]


def test_a_layout_of_another_version_is_refused(store: MongoStore, database: Any) -> None:
    store.insert([new_document(0, {})])
    database["jobs.sparktuner"].update_one({"_id": "store"}, {"$set": {"schema": 99}})
    store.close()
    with pytest.raises(StoreError, match=r"127\.0\.0\.1.*layout 99"):
        store.load_since()


@pytest.mark.parametrize(
    "change",
    [{"misc": 7}, {"state": "x"}, {"misc.vals": {"x": [1, 2]}}, {"result": {"__sparktuner__": 1}}],
)
def test_a_document_edited_by_hand_is_named(
    store: MongoStore, database: Any, change: dict[str, Any]
) -> None:
    store.insert([new_document(0, {"x": 1})])
    database.jobs.update_one({"tid": 0}, {"$set": change})
    with pytest.raises(StoreError, match=r"trial 0 in mongodb://127\.0\.0\.1"):
        store.load_since()


def test_two_trials_of_one_id_are_refused(mongo_url: str, database: Any) -> None:
    database.jobs.insert_many([hyperopts(1, JOB_STATE_NEW), hyperopts(1, JOB_STATE_NEW)])
    with pytest.raises(StoreError, match="two trials with one tid"):
        MongoStore(mongo_url).load_since()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mongodb://host", "names no database"),
        ("mongodb://host/a/b/c", "names no database"),
        ("mongodb:///db", "names no database"),
        ("mongodb://me:se/cret@host/db", "%2F"),
        ("mongodb://host/db?lease=no", "lease"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        MongoStore(url)
    assert "cret" not in str(refused.value)


def test_urls_of_hyperopts_form_name_the_collection() -> None:
    place = place_of("mongo://me:pw@host:1234/db/jobs2?authSource=admin")
    assert place.url == "mongodb://me:pw@host:1234/db?authSource=admin"
    assert (place.database, place.jobs) == ("db", "jobs2")


def test_a_wrong_password_is_no_outage_and_is_not_shown() -> None:
    failure = pymongo.errors.OperationFailure("Authentication failed.", 18)
    with pytest.raises(StoreError, match="check user, password") as refused, translated("there"):
        raise failure
    assert not isinstance(refused.value, StoreUnavailable)


def test_a_password_is_in_no_repr_pickle_or_error() -> None:
    store = MongoStore("mongodb://me:s3cret@127.0.0.1:1/db?serverSelectionTimeoutMS=200")
    with pytest.raises(StoreUnavailable) as refused:
        store.load_since()
    error: BaseException | None = refused.value
    texts = [repr(store), store.location, pickle.dumps(store).decode("latin1")]
    while error is not None:
        texts.append(repr(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert not [text for text in texts if "s3cret" in text]


def test_a_pickled_store_takes_its_password_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MongoStore("mongodb://me:s3cret@127.0.0.1:1/db?serverSelectionTimeoutMS=200")
    copy = pickle.loads(pickle.dumps(store))
    with pytest.raises(StoreError, match="SPARKTUNER_STORE_PASSWORD"):
        copy.load_since()
    monkeypatch.setenv("SPARKTUNER_STORE_PASSWORD", "s3cret")
    with pytest.raises(StoreUnavailable):
        copy.load_since()


# --- somebody who means harm


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_that_is_read_is_executed_or_written_outside(
    store: MongoStore, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    store.insert([new_document(0, {"x": 1}), new_document(1, {"x": 1})])
    for field in ("result", "misc", "spec", "exp_key", "owner", "state", "version", "book_time"):
        database.jobs.update_one({"tid": 0}, {"$set": {field: bomb}})
    database.jobs.update_one({"tid": 1}, {"$set": {"result": {"__sparktuner__": bomb}}})
    names = ("../outside", "/etc/outside", "ATTACH::1::../x", "FMinIter_Domain")
    for name in names:
        metadata = {"sparktuner": {"kind": "pickle"}}
        GridFS(database).put(bomb, filename=name, metadata=metadata)
    database.fs.files.update_one({"filename": "../outside"}, {"$set": {"length": 10 << 30}})
    store.renew("me")
    for read in (store.load_since, lambda: store.claim("me")):
        with pytest.raises(StoreError, match="trial"):
            read()
    assert set(store.attachments) == set(names)
    with pytest.raises(StoreError, match="not whole"):
        store.attachments["../outside"]
    with pytest.raises(TypeError, match="pickle"):
        store.attachments.open("/etc/outside")
    assert not list(tmp_path.iterdir())


def test_an_id_beyond_64_bits_is_refused(store: MongoStore) -> None:
    with pytest.raises(StoreError, match="OverflowError"):
        store.insert([new_document(2**70, {})])


def test_an_insertion_that_fails_leaves_the_ids_for_others(store: MongoStore) -> None:
    store.renew("a")
    tids = store.allocate(2, "a")
    documents: list[TrialDocument] = [new_document(tid, {}) for tid in (*tids, 0)]
    with pytest.raises(InvalidTrial):
        store.insert(documents)
    store.release("a")
    assert store.allocate(2) == tids
