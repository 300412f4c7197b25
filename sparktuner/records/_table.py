"""Trial documents by label, and what is expected of the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


def miscs_to_idxs_vals(
    miscs: Iterable[Mapping[str, Any]], keys: Iterable[str] | None = None
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """By label: the trial ids, and the values, of the miscs in which the label is active.

    Args:
        miscs: ``misc`` parts of trial documents.
        keys: the labels; None takes all that occur.
    """
    miscs = list(miscs)
    labels = dict.fromkeys(label for misc in miscs for label in misc["idxs"])
    idxs: dict[str, list[Any]] = {label: [] for label in (labels if keys is None else keys)}
    vals: dict[str, list[Any]] = {label: [] for label in idxs}
    for misc in miscs:
        for label, tids in idxs.items():
            tids.extend(misc["idxs"].get(label, ()))
            vals[label].extend(misc["vals"].get(label, ()))
    return idxs, vals


def expected_best_loss(results: Sequence[Mapping[str, Any]]) -> float:
    """The true loss that one should expect of the best of these results.

    Without ``loss_variance``, the lowest ``true_loss`` (or loss) of those whose loss is lowest.
    With it, the mean over all, weighted by the probability that each one's normally
    distributed loss is the lowest (10,000 draws, fixed seed).

    Args:
        results: with status ok and a finite loss each, at least one.
    """
    losses = np.array([r["loss"] for r in results], dtype=float)
    true = np.array([r.get("true_loss", r["loss"]) for r in results], dtype=float)
    variances = np.array([r.get("loss_variance") or 0.0 for r in results], dtype=float)
    if not variances.any():
        return float(true[losses == losses.min()].min())
    rng = np.random.default_rng(0)
    draws = rng.normal(losses, np.sqrt(variances), size=(10_000, len(losses)))
    wins = np.bincount(draws.argmin(axis=1), minlength=len(losses))
    return float(true @ wins / wins.sum())
