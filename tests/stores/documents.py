"""Documents of any content, made by hypothesis."""

from __future__ import annotations

import enum
import math
from datetime import timedelta, timezone
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sparktuner.records import TrialDocument, TrialStore, new_document
from sparktuner.stores._codec import dumps


class Colour(enum.Enum):
    RED = 1


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.decimals(allow_nan=False),
    st.datetimes(timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=2))])),
    st.dates(),
    st.sampled_from(
        [Colour.RED, np.float32(0.1), np.int64(7), math.nan, -math.inf, 1j, np.arange(6.0)]
    ),
)
_KEYS = st.text(max_size=6)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_KEYS, inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn) -> list[TrialDocument]:
    """A few documents with ids of their own."""
    tids = draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=4, unique=True))
    made = []
    for tid in tids:
        document = new_document(tid, draw(st.dictionaries(_KEYS, _LEAVES, max_size=3)))
        document["state"] = draw(st.integers(0, 4))
        document["exp_key"] = draw(st.none() | st.sampled_from(["", "e", "ü'\"%s"]))
        document["owner"] = draw(st.none() | st.just("me"))
        document["result"] = draw(st.dictionaries(_KEYS, _VALUES, max_size=4))
        document["book_time"] = draw(st.none() | st.datetimes())
        made.append(document)
    return made


def check_round_trip(store: TrialStore, made: list[TrialDocument]) -> None:
    """What was inserted and updated comes back the same."""
    store.delete_all()
    _, token = store.load_since()
    store.insert(made)
    assert _text(store.load_since(token)[0]) == _text(made)
    store.update(made)
    assert _text(store.load_since()[0]) == _text(made)


def _text(made: list[TrialDocument]) -> list[str]:
    # NaN equals nothing, and arrays more than one thing.
    return [dumps(dict(sorted(document.items()))) for document in made]
