"""The store of objects, in a folder."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparktuner.errors import InvalidTrial, StaleTrial, StoreError
from sparktuner.records import TrialStore, new_document
from sparktuner.stores import open_store


def opened(folder: Path, **_: object) -> TrialStore:
    return open_store(f"file://{folder}")


def put(store: TrialStore, *tids: int) -> None:
    store.insert([new_document(tid, {"x": tid}) for tid in tids])


def listed(store: TrialStore) -> list[int]:
    return [document["tid"] for document in store.load_since()[0]]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_one_store_writes_another_reads(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "t"), opened(tmp_path / "t")
    assert listed(second) == []
    put(first, 0, 1)
    documents, token = second.load_since()
    assert [document["tid"] for document in documents] == [0, 1]
    first.update(documents[:1])
    assert [d["version"] for d in second.load_since(token)[0]] == [1]
    with pytest.raises(StaleTrial):
        second.update([new_document(0, {})])
    with pytest.raises(InvalidTrial, match="tid 1 already"):
        put(second, 1)


def test_what_is_refused_is_refused_for_what_is_there_now(tmp_path: Path) -> None:
    store, other = opened(tmp_path), opened(tmp_path)
    put(store, 0)
    # All that the other does, the first one has not seen.
    [document] = other.load_since()[0]
    other.update([document])
    store.update([document])
    assert document["version"] == 2
    other.delete_all()
    put(store, 0)
    other.renew("other")
    assert len(other.claim("other")) == 1
    put(other, 1)
    store.renew("me")
    assert [d["tid"] for d in store.claim("me")] == [1]
    assert store.claim("me") == []


def test_opening_writes_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path / "not" / "there")
    assert listed(store) == []
    assert not store.attachments
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_pickled_as_its_url(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}?lease=7")
    put(store, 0)
    again = pickle.loads(pickle.dumps(store))
    assert (again.lease, again.location, listed(again)) == (7, store.location, [0])


def test_a_forked_process_uses_a_folder(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, 0)
    child = os.fork()
    if child == 0:
        try:
            put(store, 1)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert listed(store) == [0, 1]


def test_owners_are_gone_when_they_have_not_renewed_for_the_lease(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}?lease=10")
    store.renew("first")
    document = new_document(0, {})
    document["owner"] = "first"
    store.insert([document])
    store.renew("second")
    assert store.claim("second") == []
    for path in (tmp_path / "owners").iterdir():
        os.utime(path, (path.stat().st_mtime - 11,) * 2)
    store.renew("second")
    assert [d["tid"] for d in store.claim("second")] == [0]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
            | st.binary(max_size=50) | st.decimals(allow_nan=False) | st.datetimes(),
            lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
            max_leaves=6,
        ),
        max_size=4,
    ),
    st.none() | st.text(),
)  # fmt: skip
def test_documents_come_back_as_they_were(
    tmp_path: Path, result: dict[str, object], exp_key: str | None
) -> None:
    store = opened(tmp_path)
    [tid] = store.allocate(1)
    document = new_document(tid, {"x": 1.5}, exp_key=exp_key)
    document["result"] = {**result, "status": "ok"}
    store.insert([document])
    assert opened(tmp_path).load_since(None, exp_key)[0][-1] == document


# --- what others have put there


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear all")
    store = opened(tmp_path)
    for use in (store.load_since, store.attachments.names, lambda: store.renew("me")):
        with pytest.raises(StoreError, match=rf"{tmp_path} holds other files"):
            list(use() or [])
    with pytest.raises(StoreError, match="holds other files"):
        put(store, 0)
    with pytest.raises(StoreError, match="holds other files"):
        store.attachments["a"] = b"1"
    assert files(tmp_path) == {"letter.txt": b"dear all"}


def test_a_store_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    put(opened(tmp_path), 0)
    (tmp_path / "sparktuner-store").write_bytes(b"2\n")
    before = files(tmp_path)
    with pytest.raises(StoreError, match=rf"{tmp_path} is a store in layout b'2\\n'"):
        put(opened(tmp_path), 1)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:5],
        lambda data: b"",
        lambda data: data.replace(b'"x"', b'"y"'),
        lambda data: b"sparktuner-log 1 99999999999999 00000000\n",
        pickle.dumps,
    ],
)
def test_a_damaged_entry_is_named_and_left_alone(tmp_path: Path, damage: object) -> None:
    put(opened(tmp_path), 0)
    entry = tmp_path / "log" / "0" / "000000000000"
    entry.write_bytes(damage(entry.read_bytes()))  # type: ignore[operator]
    before = files(tmp_path)
    with pytest.raises(StoreError, match=rf"log/0/000000000000 in file://{tmp_path} cannot be"):
        listed(opened(tmp_path))
    with pytest.raises(StoreError, match="cannot be read"):
        put(opened(tmp_path), 1)
    assert files(tmp_path) == before


def test_an_attachment_that_was_cut_off_is_an_error(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.attachments["model"] = b"12345678" * 100
    file = tmp_path / "files" / "model"
    for end in (-1, -30, 20, 0):
        file.write_bytes(file.read_bytes()[:end])
        with pytest.raises(StoreError, match=r"attachment 'model' of file://.*(not whole|read)"):
            store.attachments["model"]


def test_no_file_where_a_folder_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="must be a folder"):
        listed(opened(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["a b", "a#b", "100%25", "ä"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    store = open_store(f"file://{tmp_path}/{quote(name)}")
    put(store, 0)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert listed(open_store(f"file://{tmp_path}/{name.replace('%', '%25')}")) == [0]


def test_owners_that_live_are_told_by_name(tmp_path: Path) -> None:
    store, other = opened(tmp_path), opened(tmp_path)
    assert store.owners() == []  # type: ignore[attr-defined]
    for name in ("host:1:é", "", "a" * 999):
        other.renew(name)
    (tmp_path / "owners" / "foreign").write_bytes(pickle.dumps("me"))
    assert sorted(store.owners()) == ["", "a" * 999, "host:1:é"]  # type: ignore[attr-defined]
    other.release("")
    assert len(store.owners()) == len(other.owners()) == 2  # type: ignore[attr-defined]


def test_ids_of_nobody_do_not_count_for_a_limit(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert len(store.allocate(5, None, "z")) == len(store.allocate(5, "b", "z", 5)) == 5


def test_a_released_owner_is_not_revived_by_a_look_at_the_clock(tmp_path: Path) -> None:
    store, other = opened(tmp_path), opened(tmp_path)
    store.renew("first")
    document = new_document(0, {})
    document["owner"] = "first"
    store.insert([document])
    store.release("first")
    assert store.allocate(1, None, None, 5) == [1]
    other.renew("second")
    assert [d["tid"] for d in other.claim("second")] == [0]
    other.release("second")
    assert [d["tid"] for d in store.claim("third")] == [0]


@pytest.mark.parametrize("url", ["file://", "file:///", "file://host/folder"])
def test_a_folder_is_named_by_its_whole_path(url: str) -> None:
    with pytest.raises(ValueError, match="three slashes"):
        open_store(url)


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["BOMB"],)


def test_nothing_of_a_malicious_store_is_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    store = opened(tmp_path / "t")
    document = new_document(0, {})
    document["result"]["model"] = Bomb()
    document["result"]["pickle"] = pickle.dumps(Bomb())
    store.insert([document])
    store.attachments["ATTACH::0::other"] = Bomb()
    again = opened(tmp_path / "t")
    again.renew("me")
    again.claim("me")
    again.load_since()
    assert len(again.attachments) == 2
    again.delete_all()
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "/etc/x", "~", "C:\\x", "a\0b", "\n", "..::..::..", "::", "a" * 9999],
)
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    store = opened(tmp_path / "outer" / "t")
    store.attachments[name] = b"1"
    store.renew(name)
    assert list(store.attachments) == [name]
    assert [p.name for p in tmp_path.iterdir()] == ["outer"]
    assert [p.name for p in (tmp_path / "outer").iterdir()] == ["t"]
    store.release(name)
    del store.attachments[name]
    assert not store.attachments


def test_names_with_the_same_beginning_are_kept_apart(tmp_path: Path) -> None:
    store = opened(tmp_path)
    names = [
        "a",
        "a::",
        "a::b",
        "a::b::c",
        "a::b::c::d",
        "a/b",
        "a::::b",
        "A",
        "",
        "::",
        "=s",
        "=e",
    ]
    names += ["a" * 300, "a" * 301, "a" * 300 + "::b", "ü" * 99, "ATTACH::1::x", "ATTACH::11::x"]
    for name in names:
        store.attachments[name] = name.encode()
    assert sorted(store.attachments) == sorted(names)
    for name in names:
        assert store.attachments.read_bytes(name) == name.encode()
        assert name in store.attachments
        assert sorted(store.attachments.names(name)) == sorted(
            other for other in names if other.startswith(name)
        )


def test_files_that_are_no_attachments_are_not_listed(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.attachments["a"] = b"1"
    for name in ("=zz", "a=2f", "=61", "b c"):
        (tmp_path / "files" / name).write_bytes(b"")
    assert list(store.attachments) == ["a"]
