"""What goes wrong below a store of objects."""

from __future__ import annotations

import errno
import itertools
import os
import pickle
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparktuner.errors import InvalidTrial, StoreError, StoreUnavailable
from sparktuner.records import TrialStore, new_document
from sparktuner.stores import open_store
from sparktuner.stores._fsspec import FsspecFolder
from sparktuner.stores._objects import ObjectStore
from tests.servers.disk import small_disk
from tests.servers.s3 import S3Server, s3_server
from tests.stores.processes import check_drivers, follow_while, forked, insert_many


def put(store: TrialStore, *tids: int) -> None:
    store.insert([new_document(tid, {"x": tid}) for tid in tids])


def listed(store: TrialStore) -> list[int]:
    return [document["tid"] for document in store.load_since()[0]]


@pytest.fixture
def url(s3: S3Server) -> str:
    return s3.url(f"bucket-{uuid.uuid4().hex}")


# --- S3


@pytest.mark.service
@pytest.mark.parametrize("fault", ["409", "503", "lost", "cut"])
def test_a_write_that_s3_answers_wrongly_is_done_once(s3: S3Server, url: str, fault: str) -> None:
    store = open_store(url)
    put(store, 0)
    s3.fail_next("PUT", fault)
    put(store, 1)
    [first, second] = store.load_since()[0]
    s3.fail_next("PUT", fault)
    store.update([first])
    assert (first["version"], second["version"]) == (1, 0)
    assert [d["version"] for d in open_store(url).load_since()[0]] == [1, 0]


@pytest.mark.service
@pytest.mark.parametrize("fault", ["409", "lost", "cut"])
def test_the_first_write_of_all_may_fail_too(s3: S3Server, url: str, fault: str) -> None:
    store = open_store(url)
    s3.fail_next("PUT", fault)
    try:
        put(store, 0)
    except StoreUnavailable:
        assert fault == "409"
        put(store, 0)
    assert listed(open_store(url)) == [0]


@pytest.mark.service
@pytest.mark.parametrize("fault", ["500", "cut"])
def test_a_call_whose_answer_never_came_may_be_repeated(
    s3: S3Server, url: str, fault: str
) -> None:
    store = open_store(url)
    put(store, 0)
    s3.fail_next("PUT", fault, 8)
    # Nor does the store say what is there now, once the writer wants to know.
    s3.fail_next("GET", "404", 1)
    s3.fail_next("GET", "500", 8)
    with pytest.raises(StoreUnavailable):
        put(store, 1)
    s3.forget_faults()
    if fault == "cut":
        with pytest.raises(InvalidTrial, match="tid 1 already"):
            put(store, 1)
    else:
        put(store, 1)
    assert listed(store) == [0, 1]


@pytest.mark.service
def test_a_server_that_is_gone_is_unavailable_within_seconds() -> None:
    with s3_server() as server:
        store = open_store(server.url("bucket-gone"))
        put(store, 0)
        server.stop()
        for call in (lambda: put(store, 1), store.load_since, lambda: store.renew("me")):
            start = time.monotonic()
            with pytest.raises(StoreUnavailable, match="s3://bucket-gone/trials"):
                call()
            assert time.monotonic() - start < 15


@pytest.mark.service
def test_a_bucket_that_is_not_there_is_named(s3: S3Server) -> None:
    url = s3.url("bucket-real").replace("bucket-real", "bucket-wrong")
    store = open_store(url)
    for call in (lambda: put(store, 0), store.load_since, lambda: store.attachments["a"]):
        with pytest.raises(StoreError, match="s3://bucket-wrong/trials.*no such bucket"):
            call()


@pytest.mark.service
def test_wrong_credentials_are_told(s3: S3Server, url: str) -> None:
    store = open_store(url)
    put(store, 0)
    s3.fail_next("GET", "403")
    with pytest.raises(StoreError, match="look at the credentials") as refused:
        store.load_since()
    assert not isinstance(refused.value, StoreUnavailable)


@pytest.mark.service
def test_secrets_of_a_url_are_shown_nowhere(s3: S3Server, url: str) -> None:
    store = open_store(url)
    s3.fail_next("PUT", "403")
    with pytest.raises(StoreError) as refused:
        put(store, 0)
    chain = [refused.value, refused.value.__cause__]
    assert refused.value.__suppress_context__
    text = repr((store.location, chain, store)) + pickle.dumps(store).decode("latin-1")
    assert "MY-SECRET" not in text
    assert "endpoint=http" in store.location


@pytest.mark.service
def test_a_forked_process_is_told_that_s3_does_not_work_there(url: str) -> None:
    store = open_store(url)
    put(store, 0)
    child = os.fork()
    if child == 0:
        try:
            store.load_since()
        except StoreError as error:
            os._exit(0 if "spawn" in str(error) else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.service
def test_a_call_and_a_look_for_news_cost_a_request_each(s3: S3Server, url: str) -> None:
    store = open_store(url)
    put(store, 0)
    _, token = store.load_since()
    before = s3.count()
    assert store.load_since(token)[0] == []
    assert s3.count() - before == 1
    put(store, *range(1, 100))
    assert s3.count() - before == 2
    # Where others write too, a look before it saves a vain try.
    other = open_store(url)
    put(other, 100)
    store.load_since()
    before = s3.count()
    put(store, 101)
    assert s3.count() - before == 2


@pytest.mark.service
def test_deleting_an_experiment_takes_no_request_for_each_trial(s3: S3Server, url: str) -> None:
    store = open_store(url)
    store.insert([new_document(tid, {}, exp_key="ab"[tid % 2]) for tid in range(40)])
    for tid in range(40):
        store.attachments[f"ATTACH::{tid}::model"] = b"1"
    before = s3.count()
    store.delete_all("a")
    assert s3.count() - before < 10
    assert sorted(store.attachments) == sorted(f"ATTACH::{tid}::model" for tid in range(1, 40, 2))


@pytest.mark.service
def test_attachments_of_many_megabytes_are_sent_in_parts(s3: S3Server, url: str) -> None:
    store = open_store(url)
    large = os.urandom(1 << 20) * 20
    before = s3.count()
    store.attachments["ATTACH::0::model"] = large
    assert s3.count() - before >= 4
    assert store.attachments["ATTACH::0::model"] == large


# --- folders


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "400k") as folder:
        yield folder


def test_a_full_disk_is_unavailable_and_nothing_is_torn(disk: Path) -> None:
    store = open_store(f"file://{disk}/trials")
    written = 0
    with pytest.raises(StoreUnavailable, match=f"file://{disk}/trials has no room left"):
        for tid in itertools.count():
            document = new_document(tid, {})
            document["result"]["text"] = "x" * 5000
            store.insert([document])
            written += 1
    store.attachments.clear()
    with pytest.raises(StoreUnavailable, match="no room left"):
        store.attachments["a"] = b"1" * 1_000_000
    with pytest.raises(StoreUnavailable, match="no room left"):
        put(store, *range(1000, 2000))
    subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
    again = open_store(f"file://{disk}/trials")
    assert listed(store) == listed(again) == list(range(written))
    assert list(again.attachments) == []
    put(store, *range(1000, 2000))
    assert not list((disk / "trials" / ".unfinished").iterdir())


def test_a_folder_that_cannot_be_written_is_named_and_can_be_read(disk: Path) -> None:
    store = open_store(f"file://{disk}/trials")
    put(store, 0)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    again = open_store(f"file://{disk}/trials")
    assert listed(again) == [0]
    for call in (lambda: put(again, 1), lambda: again.renew("me")):
        with pytest.raises(StoreError, match=f"{disk}.*Read-only") as refused:
            call()
        assert not isinstance(refused.value, StoreUnavailable)


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mounted cloud volume: no links, no renaming, no syncing."""

    def unknown(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    for name in ("link", "replace", "rename", "fsync"):
        monkeypatch.setattr(os, name, unknown)


def test_a_volume_needs_neither_links_nor_renaming(tmp_path: Path, volume: None) -> None:
    store = open_store(f"file://{tmp_path}/trials")
    put(store, 0, 1)
    with pytest.raises(InvalidTrial):
        put(open_store(f"file://{tmp_path}/trials"), 1)
    store.renew("me")
    assert [d["tid"] for d in store.claim("me")] == [0, 1]
    for value in (b"old" * 1_000_000, b"new"):
        store.attachments["a"] = value
        assert open_store(f"file://{tmp_path}/trials").attachments["a"] == value


def test_an_entry_that_is_being_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"file://{tmp_path}")
    put(store, 0)
    entry = tmp_path / "log" / "0" / "000000000000"
    data = entry.read_bytes()
    entry.write_bytes(data[:40])
    monkeypatch.setattr(time, "sleep", lambda _: entry.write_bytes(data))
    assert listed(open_store(f"file://{tmp_path}")) == [0]


def test_what_fsspec_opens_keeps_to_the_contract_for_one_driver(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/other")
    assert isinstance(store, ObjectStore)
    folder = FsspecFolder(f"file://{tmp_path}/trials", "here")
    store._bucket = folder
    store._begin()
    store.renew("me")
    for tid in store.allocate(70, "me"):
        put(store, tid)
    with pytest.raises(InvalidTrial):
        put(store, 3)
    store.attachments["ATTACH::1::a b"] = b"1"
    store.attachments["ATTACH::1::a b"] = b"2"
    assert dict(store.attachments) == {"ATTACH::1::a b": b"2"}
    again = open_store(f"file://{tmp_path}/trials")
    assert listed(again) == list(range(70))
    assert [d["tid"] for d in store.claim("me", limit=2)] == [0, 1]
    store.delete_all()
    assert (listed(again), len(again.attachments)) == ([], 0)


# --- writers that die, and many of them


def test_eight_drivers_on_a_folder_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    check_drivers(open_store(store_url(tmp_path)))


def test_a_follower_of_a_folder_misses_nothing_that_several_write(tmp_path: Path) -> None:
    store = open_store(store_url(tmp_path))
    follow_while(store, lambda: forked(insert_many, [(store, i, 20) for i in range(4)]))


def test_drivers_that_open_an_empty_folder_at_once_share_it(tmp_path: Path) -> None:
    forked(_open_and_insert, [(store_url(tmp_path), tid) for tid in range(8)])
    assert sorted(listed(open_store(store_url(tmp_path)))) == list(range(8))


def _open_and_insert(url: str, tid: int) -> None:
    put(open_store(url), tid)


def test_a_writer_that_is_killed_leaves_whole_documents(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}")
    for pause in (0.3, 0.05, 0.11, 0.17, 0.02):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.object_writers", store_url(tmp_path), "insert"],
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(pause)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        documents = open_store(store_url(tmp_path)).load_since()[0]
        # Three documents a call, all or none.
        assert len(documents) % 3 == 0
        assert {d["result"]["text"] for d in documents} <= {"x" * 20_000}
    assert documents
    put(store, -1)


def store_url(folder: Path) -> str:
    return f"file://{folder}"


@pytest.mark.service
def test_eight_writers_on_s3_lose_nothing_and_take_nothing_twice(url: str) -> None:
    store = open_store(url)
    store.insert([new_document(tid, {}, exp_key="claims") for tid in range(1000, 1040)])
    store.insert([new_document(999, {}, exp_key="counter")])
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.stores.object_writers", url, "all", f"w{i}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(8)
    ]
    outputs = [writer.communicate(timeout=120)[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 8
    documents = {d["tid"]: d for d in store.load_since()[0]}
    claimed = [int(w[1:]) for output in outputs for w in output if w.startswith("c")]
    assert sorted(claimed) == list(range(1000, 1040))
    for i, output in enumerate(outputs):
        assert {documents[int(w[1:])]["owner"] for w in output if w.startswith("c")} <= {f"w{i}"}
    allocated = [int(w[1:]) for output in outputs for w in output if w.startswith("a")]
    assert len(set(allocated)) == len(allocated) == 8 * 5
    assert all(documents[tid]["version"] == 1 for tid in allocated)
    # Each writer has counted this document up three times, and nobody overwrote another.
    assert documents[999]["version"] == documents[999]["result"]["count"] == 8 * 3
