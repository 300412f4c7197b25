"""Files of SQLite as stores: what is refused, what is kept, and what nobody may do."""

from __future__ import annotations

import io
import os
import pickle
import resource
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sqlalchemy")
import sqlalchemy as sa

from sparktuner.errors import InvalidTrial, StoreError, StoreUnavailable
from sparktuner.records import TrialStore, new_document
from sparktuner.status import JOB_STATE_RUNNING
from sparktuner.stores import _sql_database, _sql_schema, open_store
from sparktuner.stores._codec import dumps
from sparktuner.stores._sql import SqlStore

PIECE = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tuning.db"


@pytest.fixture
def opened() -> Iterator[Callable[..., TrialStore]]:
    stores = []

    def make(path: Path | str, options: str = "") -> TrialStore:
        stores.append(open_store(f"sqlite:///{path}{options}"))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def run(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """Statements on the file, without the store."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            rows = connection.execute(statement, values).fetchall()
    return rows


def count(store: TrialStore) -> int:
    return len(store.load_since()[0])


# --- URLs


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "sqlite://host/x.db"]
)
def test_what_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:/// and the path of a file"):
        open_store(url)


def test_the_lease_in_the_url_goes_before_the_argument(path: Path) -> None:
    assert SqlStore(f"sqlite:///{path}?lease=7", lease=9).lease == 7
    assert SqlStore(f"sqlite:///{path}", lease=9).lease == 9


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    store = opened("tuning.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.insert([new_document(0, {})])
    copy = pickle.loads(pickle.dumps(store))
    assert count(copy) == 1
    copy.close()
    assert os.listdir() == []


# --- what cannot be opened


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, opened: Any) -> None:
    with pytest.raises(StoreError, match="no/folder/x.db: unable to open .* its folder must be"):
        opened(tmp_path / "no" / "folder" / "x.db")


def test_another_file_is_refused_and_left_as_it_is(path: Path, opened: Any) -> None:
    path.write_bytes(b"a,b\n1,2\n" * 1000)
    with pytest.raises(StoreError, match=r"tuning.db: file is not a database; it is not SQLite's"):
        opened(path)
    assert path.read_bytes() == b"a,b\n1,2\n" * 1000


def test_a_damaged_file_is_an_error_that_says_so(path: Path, opened: Any) -> None:
    store = opened(path)
    store.insert([new_document(tid, {"x": tid}) for tid in range(400)])
    store.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 3 :] = b"\xff" * len(data[len(data) // 3 :])
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"tuning.db.*damaged"):
        store.load_since()
    store.close()
    assert path.read_bytes() == data


def test_another_programs_database_can_be_shared(path: Path, opened: Any) -> None:
    run(path, "CREATE TABLE runs (id)", "INSERT INTO runs VALUES (7)")
    opened(path).insert([new_document(0, {})])
    assert run(path, "SELECT id FROM runs") == [(7,)]
    assert count(opened(path)) == 1


def test_tables_of_our_names_that_are_not_ours_are_left_alone(path: Path, opened: Any) -> None:
    run(path, "CREATE TABLE sparktuner_trials (a)", "INSERT INTO sparktuner_trials VALUES (1)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"tuning.db has tables .* \(sparktuner_trials\)"):
        opened(path)
    assert path.read_bytes() == before


def test_tables_of_a_later_version_are_refused_untouched(path: Path, opened: Any) -> None:
    opened(path).close()
    run(path, "UPDATE sparktuner_schema SET version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="version 99.* none above 1: install a newer"):
        opened(path)
    assert path.read_bytes() == before


def test_tables_of_an_earlier_version_are_brought_up_to_date(
    path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(path)
    store.insert([new_document(0, {})])
    store.close()

    def add_a_column(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE sparktuner_trials ADD COLUMN extra TEXT")

    monkeypatch.setattr(_sql_schema, "STEPS", (*_sql_schema.STEPS, add_a_column))
    assert count(opened(path)) == 1
    assert run(path, "SELECT version FROM sparktuner_schema") == [(2,)]
    assert run(path, "SELECT extra FROM sparktuner_trials") == [(None,)]
    assert count(opened(path)) == 1


def test_a_step_that_fails_leaves_the_tables_as_they_were(
    path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(path).close()

    def fail(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TABLE sparktuner_trials")
        connection.exec_driver_sql("ALTER TABLE missing ADD COLUMN x")

    with monkeypatch.context() as patch:
        patch.setattr(_sql_schema, "STEPS", (*_sql_schema.STEPS, fail))
        with pytest.raises(StoreError, match="no such table: missing"):
            opened(path)
    assert count(opened(path)) == 0


def test_a_file_that_may_not_be_written_is_named(path: Path, opened: Any) -> None:
    opened(path).close()
    folder = path.parent
    if os.geteuid() == 0:
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)
    path.chmod(0o444)
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nothing is forbidden to root
    try:
        with pytest.raises(StoreError, match=r"tuning.db: .*; .* yours to write"):
            opened(path).insert([new_document(0, {})])
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


# --- what passes


def test_a_writer_who_does_not_end_is_waited_for_within_bounds(
    path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sql_database, "_PATIENCE", 0.2)
    store = opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"tuning.db: database is locked; another"):
            store.insert([new_document(0, {})])
        assert count(store) == 0
        other.execute("ROLLBACK")
    store.insert([new_document(0, {})])
    assert count(store) == 1


def test_a_full_disk_passes(path: Path, opened: Any) -> None:
    store = opened(path)
    store.insert([new_document(0, {})])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = 200_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (full, hard))
    try:
        with pytest.raises(StoreUnavailable, match=r"tuning.db: .*disk"):
            store.insert([new_document(tid, {"x": "y" * 900}) for tid in range(1, 1000)])
        with pytest.raises(StoreUnavailable, match=r"tuning.db: .*disk"):
            store.attachments["large"] = b"1" * 1_000_000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert count(store) == 1
    store.insert([new_document(tid, {}) for tid in range(1, 1000)])
    assert count(store) == 1000


def test_what_was_closed_opens_again(path: Path, opened: Any) -> None:
    store = opened(path)
    store.insert([new_document(0, {})])
    store.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["tuning.db"]
    assert count(store) == 1


# --- documents


def test_words_that_a_database_cannot_compare_are_refused(path: Path, opened: Any) -> None:
    store = opened(path)
    for wrong in ("a\0b", "\ud800", "x" * 1001, 7):
        with pytest.raises(InvalidTrial, match="exp_key must be text of at most 1000"):
            store.insert([new_document(0, {}, exp_key=wrong)])
    with pytest.raises(InvalidTrial, match="62 bits"):
        store.insert([new_document(2**62, {})])
    assert count(store) == 0


def test_a_trial_that_moves_to_another_experiment_counts_there(path: Path, opened: Any) -> None:
    store = opened(path)
    store.insert([new_document(tid, {}, exp_key="a") for tid in range(3)])
    document, *_ = store.load_since(None, "a")[0]
    document["exp_key"] = None
    store.update([document])
    assert len(store.load_since(None, "a")[0]) == 2
    store.renew("me")
    assert len(store.allocate(9, "me", "a", 4)) == 2
    assert len(store.allocate(9, "me", None, 6)) == 1


def test_what_others_wrote_into_a_document_is_claimed_as_it_is(path: Path, opened: Any) -> None:
    store = opened(path)
    store.insert([new_document(0, {})])
    store.insert([{**new_document(1, {}), "state": JOB_STATE_RUNNING}])
    rest = {k: v for k, v in new_document(0, {}).items() if k not in ("exp_key", "state", "owner")}
    rest["result"] = {"status": "new", "curve": np.zeros(20_000)}
    run(path, "UPDATE sparktuner_trials SET text = ? WHERE tid = 0", values=(dumps(rest),))
    store.renew("me")
    first, second = store.claim("me")
    assert first["result"]["curve"].shape == (20_000,)
    assert second["misc"]["restarts"] == 1


def test_a_document_that_somebody_has_edited_badly_is_named(path: Path, opened: Any) -> None:
    store = opened(path)
    store.insert([new_document(7, {})])
    run(path, "UPDATE sparktuner_trials SET text = '{\"result\": {'")
    with pytest.raises(StoreError, match=r"trial 7 in .*tuning.db is no trial document .*mend it"):
        store.load_since()


# --- attachments


def test_a_large_attachment_is_never_whole_in_memory(path: Path, opened: Any) -> None:
    store = opened(path)
    pieces = 100

    class Stream(io.RawIOBase):
        left = pieces

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return bytes([self.left]) * PIECE if self.left >= 0 else b""

    tracemalloc.start()
    try:
        store.attachments.write("large", Stream())
        with store.attachments.open("large") as stream:
            read = 0
            while piece := stream.read(PIECE):
                read += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == pieces * PIECE
    assert peak < 12 * PIECE


def test_a_stream_that_breaks_leaves_the_old_attachment_and_nothing_else(
    path: Path, opened: Any
) -> None:
    store = opened(path)
    store.attachments["model"] = b"old"

    class Broken(io.RawIOBase):
        left = 3

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            if not self.left:
                raise OSError("the stream broke")
            return b"1" * PIECE

    with pytest.raises(OSError, match="the stream broke"):
        store.attachments.write("model", Broken())
    assert store.attachments["model"] == b"old"
    assert run(path, "SELECT count(*) FROM sparktuner_pieces") == [(1,)]


def test_an_attachment_that_is_replaced_while_it_is_read_is_read_again(
    path: Path, opened: Any
) -> None:
    store = opened(path)
    store.attachments["model"] = b"1" * 3 * PIECE
    stream = store.attachments.open("model")
    assert stream.read(10) == b"1" * 10
    store.attachments["model"] = b"2" * 3 * PIECE
    with pytest.raises(StoreUnavailable, match="'model' .* was replaced .* read it again"):
        stream.read()
    assert store.attachments["model"] == b"2" * 3 * PIECE


def test_what_a_writer_that_died_left_is_removed_a_day_later(path: Path, opened: Any) -> None:
    store = opened(path)
    run(
        path,
        "INSERT INTO sparktuner_blobs VALUES ('old', NULL, '', 0, NULL, 0.0)",
        "INSERT INTO sparktuner_pieces VALUES ('old', 0, x'00')",
        "INSERT INTO sparktuner_blobs VALUES ('new', NULL, '', 0, NULL, 4e9)",
    )
    store.attachments["model"] = b"1"
    assert run(path, "SELECT id FROM sparktuner_blobs WHERE name IS NULL") == [("new",)]
    assert run(path, "SELECT count(*) FROM sparktuner_pieces") == [(1,)]


def test_an_attachment_that_lacks_a_piece_is_an_error(path: Path, opened: Any) -> None:
    store = opened(path)
    store.attachments["model"] = b"1" * 3 * PIECE
    run(path, "DELETE FROM sparktuner_pieces WHERE number = 1")
    with pytest.raises(StoreError, match="'model' .* is not whole"):
        store.attachments["model"]
    with store.attachments.open("model") as stream, pytest.raises(StoreError, match="not whole"):
        stream.read()


def test_threads_write_one_attachment_and_one_of_them_wins(path: Path, opened: Any) -> None:
    store = opened(path)

    def write(i: int) -> None:
        store.attachments["model"] = bytes([i]) * 2 * PIECE

    threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(store.attachments["model"])) == 1
    assert run(path, "SELECT count(*) FROM sparktuner_pieces") == [(2,)]


# --- somebody means harm


class Harm:
    """Unpickled, it leaves a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.file),))


TABLES = {
    "trials": ["revision", "tid", "exp_key", "state", "owner", "version", "text"],
    "counter": ["revision", "next_tid"],
    "experiments": ["name", "trials"],
    "allocated": ["owner", "exp_key"],
    "owners": ["name", "expires"],
    "blobs": ["id", "name", "kind", "pieces", "tid", "begun"],
    "pieces": ["blob", "number", "data"],
    "schema": ["version"],
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, names in TABLES.items() for column in names]
)
@pytest.mark.parametrize("value", ["pickle", "huge"])
def test_whatever_a_column_holds_nothing_is_executed(
    path: Path, opened: Any, tmp_path: Path, table: str, column: str, value: str
) -> None:
    store = opened(path)
    store.insert([new_document(0, {}), {**new_document(1, {}), "exp_key": "e"}])
    store.attachments["a"] = {"b": 1}
    store.allocate(1, "gone", "e")
    store.renew("other")
    harm = pickle.dumps(Harm(tmp_path / "harm")) if value == "pickle" else 10_000_000_000
    statement = f"UPDATE OR IGNORE sparktuner_{table} SET {column} = ?"
    run(path, statement, values=(harm,))

    def overwrite() -> None:
        for document in store.load_since()[0]:
            store.update([document])

    uses: list[Callable[[], object]] = [
        store.load_since,
        lambda: store.load_since(1, "e"),
        lambda: store.renew("me"),
        lambda: store.claim("me"),
        overwrite,
        lambda: store.allocate(2, "me", "e", 9),
        lambda: store.insert([new_document(7, {})]),
        lambda: dict(store.attachments),
        lambda: store.attachments["a"],
        lambda: store.attachments.write("a", io.BytesIO(b"1")),
        lambda: store.release("me"),
        lambda: store.delete_all("e"),
        lambda: open_store(f"sqlite:///{path}").close(),
        store.delete_all,
    ]
    for use in uses:
        try:
            use()
        except (StoreError, InvalidTrial, KeyError):
            continue
    assert not (tmp_path / "harm").exists()
    assert {file.name.partition("-")[0] for file in tmp_path.iterdir()} == {"tuning.db"}


# --- cost


def test_what_is_asked_again_and_again_never_reads_all_trials(path: Path, opened: Any) -> None:
    store = opened(path)
    ended = [{**new_document(tid, {}, exp_key="e"), "state": 2} for tid in range(3000)]
    store.insert(ended)
    store.insert([new_document(tid, {}, exp_key="e") for tid in range(3000, 3010)])
    store.renew("me")
    _, token = store.load_since()
    asked: dict[str, Any] = {}

    def note(_: Any, __: Any, statement: str, values: Any, ___: Any, many: bool) -> None:
        asked[statement] = values[0] if many else values

    sa.event.listen(store._database._opened(), "before_cursor_execute", note)
    for exp_key in (None, "e"):
        store.load_since(token, exp_key)
        store.claim("me", exp_key, 1)
        store.allocate(1, "me", exp_key, 10**6)
    store.update(store.load_since(token)[0])
    store.insert([new_document(5000, {})])
    store.attachments["ATTACH::5000::x"] = b"1"
    assert "ATTACH::5000::x" in store.attachments
    assert store.attachments["ATTACH::5000::x"] == b"1"
    store.delete_all("nobody's")
    assert len(asked) > 20
    for statement, values in asked.items():
        if not statement.startswith("BEGIN"):
            plan = run(path, f"EXPLAIN QUERY PLAN {statement}", values=tuple(values))
            steps = [step for *_, step in plan]
            assert "SCAN sparktuner_trials" not in steps, (statement, steps)
            assert not any("SCAN sparktuner_pieces" in step for step in steps), (statement, steps)
