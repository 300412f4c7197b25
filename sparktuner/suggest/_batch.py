"""Documents as columns, in the layout of Hyperopt's ``suggest_batch``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparktuner.records import Document


def idxs_vals(
    documents: Sequence[Document],
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """For each label the ids of the documents in which it is active, and its values there."""
    columns: tuple[dict[str, list[Any]], dict[str, list[Any]]] = ({}, {})
    for document in documents:
        for column, key in zip(columns, ("idxs", "vals"), strict=True):
            for label, entry in document["misc"][key].items():
                column.setdefault(label, []).extend(entry)
    return columns
