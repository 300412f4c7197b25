"""A writer in a process of its own: its arguments are URL, ``insert`` or ``all``, and a name."""

from __future__ import annotations

import sys

from sparktuner.errors import StaleTrial
from sparktuner.records import TrialStore, new_document
from sparktuner.stores import open_store


def insert_for_ever(store: TrialStore) -> None:
    """Inserts three large documents a call until somebody kills the process."""
    store.load_since()
    print("ready", flush=True)  # noqa: T201
    while True:
        documents = [new_document(tid, {}) for tid in store.allocate(3)]
        for document in documents:
            document["result"]["text"] = "x" * 20_000
        store.insert(documents)


def everything(store: TrialStore, name: str) -> None:
    """Allocates, inserts, updates, claims, counts one document up, and prints what it got."""
    store.renew(name)
    for _ in range(5):
        [tid] = store.allocate(1, name)
        document = new_document(tid, {}, exp_key="own")
        store.insert([document])
        store.update([document])
        print(f"a{tid}")  # noqa: T201
    while claimed := store.claim(name, "claims", 2):
        for document in claimed:
            print(f"c{document['tid']}")  # noqa: T201
    for _ in range(3):
        count_up(store)


def count_up(store: TrialStore) -> None:
    while True:
        [document] = store.load_since(None, "counter")[0]
        document["result"]["count"] = document["result"].get("count", 0) + 1
        try:
            store.update([document])
            return
        except StaleTrial:
            continue


if __name__ == "__main__":
    opened = open_store(sys.argv[1])
    if sys.argv[2] == "insert":
        insert_for_ever(opened)
    else:
        everything(opened, sys.argv[3])
