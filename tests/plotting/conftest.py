"""Plots are drawn without a screen, small, and forgotten after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_screen() -> Iterator[None]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"figure.dpi": 40}):
        yield
        plt.close("all")
