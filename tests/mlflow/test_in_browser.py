"""A search in MLflow's own pages, in a real browser: its trials are nested, and sort by loss.

Pictures of what was looked at are left in the test's temporary folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp, rand
from sparktuner.mlflow import MLflowCallback
from tests.servers.mlflow import MlflowServer

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("mlflow", minversion="3")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
# A busy machine takes its time for so large a page.
PATIENCE_MS = 60_000


@pytest.fixture
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = browser.new_page(viewport={"width": 1400, "height": 900})
        made.set_default_timeout(PATIENCE_MS)
        yield made
        browser.close()


def train(p: Any) -> float:
    return float(p["lr"])


def names(page: Any) -> list[str]:
    """The names of the runs in the table, from above."""
    links = page.locator('.ag-row a[href*="/runs/"]')
    rows = links.evaluate_all(
        "each => each.map(a => [+a.closest('.ag-row').getAttribute('row-index'), a.innerText])"
    )
    return [name for _, name in sorted(rows)]


def wait_for(page: Any, first: str, rows: int) -> None:
    """Waits until the table has so many rows, and the first is of this run."""
    named = f'.ag-row[row-index="0"] a[href*="/runs/"]:has-text("{first}")'
    page.wait_for_selector(named)
    page.wait_for_function(
        "n => document.querySelectorAll('.ag-row a[href*=\"/runs/\"]').length === n", arg=rows
    )


def test_the_trials_of_a_search_are_nested_in_its_run_and_sort_by_loss(
    page: Any, client: Any, mlflow_server: MlflowServer, experiment: str, tmp_path: Path
) -> None:
    callback = MLflowCallback(experiment, tracking_uri=mlflow_server.url, drain_timeout=None)
    trials = Trials()
    fmin(
        train,
        {"lr": hp.loguniform("lr", -7, 0), "model": hp.choice("model", ["svm", "forest"])},
        rand.suggest,
        8,
        trials=trials,
        callbacks=[callback],
        verbose=False,
        rstate=0,
    )
    parent = client.get_run(callback.run_id)
    page.goto(f"{mlflow_server.url}/#/experiments/{parent.info.experiment_id}/runs")

    # The search is one row, which opens.
    name = parent.info.run_name
    wait_for(page, name, 1)
    page.screenshot(path=tmp_path / "closed.png")
    page.locator('.ag-row[row-index="0"] button[data-component-id*="runnamecell"]').click()
    wait_for(page, name, 9)
    page.screenshot(path=tmp_path / "open.png")
    assert names(page)[0] == name
    numbers = {text.partition(":")[0] for text in names(page)[1:]}
    assert numbers == {f"trial {tid}" for tid in range(8)}

    # By loss the best trial is above, beside the search, whose loss is that of its best.
    for choice in ("sort-select-loss", "sort-select-asc"):
        page.get_by_test_id("sort-select-dropdown").click()
        page.get_by_test_id(choice).click()
    losses = {t["tid"]: t["result"]["loss"] for t in trials.trials}
    ranked = [f"trial {tid}" for tid in sorted(losses, key=lambda tid: losses[tid])]
    page.wait_for_selector(f'.ag-row[row-index="8"] a:has-text("{ranked[-1]}:")')
    page.screenshot(path=tmp_path / "by_loss.png")
    assert [text.partition(":")[0] for text in names(page) if text != name] == ranked
    assert name in names(page)[:2]
