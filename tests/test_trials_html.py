"""Trials in a notebook: a small table and a chart, in which nothing of a user's is markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.status import JOB_STATE_ERROR, JOB_STATE_RUNNING
from sparktuner.trials._html import losses_svg, points_of
from tests.plotting.histories import HISTORIES, made, many, mixed

EVIL = "<script>alert(1)</script>\"'&"


class Tags(HTMLParser):
    """The tags of a page, and whether each that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def html_of(trials: Trials) -> str:
    text = trials._repr_html_()
    tags = Tags()
    tags.feed(text)
    assert not tags.open and "script" not in tags.seen
    return text


@pytest.mark.parametrize("history", HISTORIES)
def test_an_odd_search_has_a_well_formed_page(history: str) -> None:
    text = html_of(HISTORIES[history]())
    assert "nan" not in text and "inf" not in text.replace("infinite", "")


def test_the_table_has_the_best_trial_with_choices_by_value() -> None:
    trials = Trials()
    space = {"x": hp.uniform("x", 0, 1), "act": hp.choice("act", ["relu", "tanh"])}
    fmin(lambda p: p["x"], space, max_evals=20, trials=trials, rstate=0, verbose=False)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html_of(trials))
    best = trials.best_trial
    loss = f"{best['result']['loss']:.6g}"
    assert cells == ["loss", loss, "act", trials.best_params["act"], "x", loss]
    assert f"best: trial {best['tid']}<" in html_of(trials)


def test_the_chart_has_a_point_for_each_loss_and_the_best_at_the_bottom() -> None:
    losses = np.array([3.0, np.nan, 1.0, 2.0])
    svg = ElementTree.fromstring(losses_svg(losses))
    y = [float(c.attrib["cy"]) for c in svg.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(y) == 3 and y[0] < y[2] < y[1]
    steps = [path.attrib["d"] for path in svg.iter("{http://www.w3.org/2000/svg}path")][-1]
    assert re.findall(r"V([\d.]+)", steps) == [f"{y[1]:.1f}"]


def test_a_large_search_is_a_small_page_that_keeps_the_best() -> None:
    trials = many()
    text = html_of(trials)
    assert len(text) < 60_000
    losses = np.array(trials.losses(), dtype=float)
    points = points_of(losses)
    assert 300 <= len(points) <= 400 and int(losses.argmin()) in points


def test_labels_values_errors_and_names_are_text() -> None:
    space = {EVIL: hp.choice(EVIL, [EVIL, f"{EVIL}2"])}
    for state in (JOB_STATE_RUNNING, JOB_STATE_ERROR):
        trials = made(9, space, state=lambda i, s=state: s if i else 2)  # type: ignore[misc]
        assert "&lt;script&gt;" in html_of(trials)
    failed = made(3, space, state=lambda i: JOB_STATE_ERROR)
    for document in failed.all_trials:
        document["misc"]["error"] = ("ValueError", EVIL)
    assert "Last error: ValueError: &lt;script&gt;" in html_of(failed)
    trials = Trials(exp_key=EVIL)
    assert "&lt;script&gt;" in html_of(trials)


def test_a_running_search_says_what_runs() -> None:
    assert "1 running" in html_of(mixed()) and "2 failed" in html_of(mixed())


def test_many_parameters_do_not_fill_the_screen() -> None:
    text = html_of(made(3, {f"x{i}": hp.uniform(f"x{i}", 0, 1) for i in range(40)}))
    assert text.count("<tr>") == 15 and "28 more in trials.best_params" in text
