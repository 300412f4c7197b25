"""``trials.report`` writes a page of what the trials hold, in which nothing of it is markup."""

from __future__ import annotations

import ast
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp, space_eval
from sparktuner.report import page, report_data
from sparktuner.report._data import dumps
from sparktuner.report._texts import kept_texts
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR
from tests.plotting.histories import HISTORIES, SPACE, made, many, mixed, searched

EVIL = "<script>alert(1)</script>\"'&</title><!--"


class Parts(HTMLParser):
    """The scripts of a page by their type, its tags, and attributes that load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[str] = []
        self.loads: list[str] = []
        self._type: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self._type = given.get("type") or "code" if tag == "script" else None
        self.loads += [name for name, _ in attrs if name == "src" or name.startswith("on")]
        if tag == "link":
            assert given["href"] == "data:,"

    def handle_data(self, data: str) -> None:
        if self._type is not None:
            self.scripts[self._type] = self.scripts.get(self._type, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._type = None


def parts_of(text: str) -> Parts:
    parts = Parts()
    parts.feed(text)
    return parts


def shown(trials: Trials) -> dict[str, Any]:
    """The data of a page, as a browser would read it."""
    text = page(report_data(trials))
    data: dict[str, Any] = json.loads(parts_of(text).scripts["application/json"])
    return data


@pytest.mark.parametrize("history", HISTORIES)
def test_an_odd_search_has_a_page_with_all_of_its_trials(history: str) -> None:
    trials = HISTORIES[history]()
    data = shown(trials)
    n = len(trials.all_trials)
    assert {len(data[key]) for key in ("tid", "state", "loss", "start", "host", "error")} == {n}
    assert all(len(parameter["values"]) == n for parameter in data["parameters"])


def test_the_page_loads_nothing_and_runs_its_own_script_alone() -> None:
    parts = parts_of(page(report_data(mixed())))
    assert not parts.loads and parts.tags.count("script") == 2
    assert "http" not in re.sub(r"http-equiv", "", page(report_data(made(3))))


def test_labels_options_errors_and_names_are_data_and_never_markup() -> None:
    trials = made(
        12, {"x": hp.uniform(EVIL, 0, 1), "c": hp.choice(f"c{EVIL}", [EVIL, f"{EVIL}2"])}
    )
    for document in trials.all_trials[:3]:
        document["state"] = JOB_STATE_ERROR
        document["misc"]["error"] = (EVIL, f"{EVIL}\n{EVIL}")
        document["result"] = {EVIL: EVIL}
        document["misc"]["execution"]["host"] = EVIL
    text = page(report_data(trials) | {"exp_key": EVIL})
    assert "alert" not in re.sub(r"\\u003cscript|&lt;script", "", text).replace(
        "\\u003ealert", ""
    ).replace("&gt;alert", "")
    parts = parts_of(text)
    assert parts.tags.count("script") == 2 and parts.tags.count("title") == 1
    data = json.loads(parts.scripts["application/json"])
    assert data["parameters"][0]["label"] == EVIL and EVIL in data["error"]
    assert data["tracebacks"] == [f"{EVIL}\n{EVIL}"]


def test_the_json_has_no_character_of_markup_and_is_the_same_json() -> None:
    data = {"a": [EVIL, 1.5, None], EVIL: "\u2028 é"}
    text = dumps(data)
    assert not set("<>&") & set(text) and json.loads(text) == data


def test_numbers_are_those_of_the_trials() -> None:
    trials = searched(40)
    data = shown(trials)
    documents = trials.all_trials
    assert data["loss"] == [d["result"]["loss"] for d in documents]
    by_label = {parameter["label"]: parameter for parameter in data["parameters"]}
    for row, document in enumerate(documents):
        for label, values in document["misc"]["vals"].items():
            assert by_label[label]["values"][row] == (values[0] if values else None)
    assert by_label["C"]["condition"] and not by_label["lr"]["condition"]
    assert by_label["lr"]["log"] and "loguniform" in by_label["lr"]["code"]
    assert data["best"]["row"] == documents.index(trials.best_trial)
    assert data["history"]["best"][1] == sorted(data["history"]["best"][1], reverse=True)
    assert 0.1 < data["importance"]["foretold"] < 1
    assert [label for label, _ in data["importance"]["shares"]]


def test_the_best_parameters_can_be_pasted() -> None:
    trials = searched(20)
    best = shown(trials)["best"]
    names: dict[str, Any] = {}
    exec(best["python"], names)
    assert space_eval(SPACE, names["best"]) == trials.best_params
    values = json.loads(best["json"])
    assert values["lr"] == trials.argmin["lr"]
    ast.parse(best["python"])


def test_a_searchs_failures_carry_their_tracebacks() -> None:
    def fails(x: float) -> float:
        if x < 0:
            raise ValueError(f"no {x}")
        return x

    trials = Trials()
    space = hp.uniform("x", -1, 1)
    fmin(fails, space, max_evals=20, trials=trials, rstate=0, verbose=False,
         catch_eval_exceptions=True)  # fmt: skip
    data = shown(trials)
    failed = [row for row, state in enumerate(data["state"]) if state == "failed"]
    assert failed
    for row in failed:
        assert data["error"][row] == "ValueError"
        assert "no -" in data["tracebacks"][data["traceback"][row]]


def test_tracebacks_are_kept_once_and_within_bounds() -> None:
    texts, places = kept_texts(["a", None, "b", "a", "x" * 50_000])
    assert places == [0, None, 1, 0, 2] and texts[:2] == ["a", "b"] and len(texts[2]) < 21_000
    many_texts = [f"{i}" + "x" * 5000 + "\nlast line" for i in range(3000)]
    texts, places = kept_texts(many_texts)
    assert len("".join(texts)) < 4_100_000 and None not in places
    assert texts[-1].endswith("last line") and "left out" in texts[-1]


def test_a_large_search_is_a_page_of_few_megabytes() -> None:
    assert len(page(report_data(many(), {})).encode()) < 6_000_000


def test_ten_thousand_trials_of_many_parameters_and_failures_are_below_15_megabytes() -> None:
    numbers = {f"x{i}": hp.loguniform(f"x{i}", -9, 0) for i in range(16)}
    choices = {f"c{i}": hp.choice(f"c{i}", ["an option", "another one"]) for i in range(4)}
    trials = made(
        10_000,
        numbers | choices,
        loss=lambda i, values: float(values["x0"]),
        state=lambda i: JOB_STATE_DONE if i % 3 else JOB_STATE_ERROR,
        slots=32,
    )
    for document in trials.all_trials:
        if document["state"] == JOB_STATE_ERROR:
            text = f"Traceback of {document['tid']}\n" + "  a line of the user's own\n" * 100
            document["misc"]["error"] = ("ValueError", f"{text}ValueError: {document['tid']}")
    written = page(report_data(trials, {}))
    failures, size = written.count("Traceback of"), len(written.encode())
    assert failures > 1000
    assert size < 15_000_000


def test_values_that_a_browser_would_round_are_text() -> None:
    data = shown(made(5, {"n": hp.randint("n", 2**60, 2**60 + 9)}))
    assert all(int(text) >= 2**60 for text in data["parameters"][0]["exact"].values())
    assert len(data["parameters"][0]["exact"]) == 5


def test_a_report_replaces_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "search.html"
    path.write_text("before")
    mixed().report(path)
    assert path.read_text().startswith("<!DOCTYPE html>")
    mixed().report(str(path))
    assert os.listdir(tmp_path) == ["search.html"]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, "", "a\0b"):
        with pytest.raises(ValueError, match="path must be the name of a file"):
            mixed().report(path)
    with pytest.raises(TypeError, match="path must be"):
        mixed().report(7)  # type: ignore[arg-type]
    with pytest.raises(OSError):
        mixed().report(tmp_path / "none" / "search.html")


def test_the_bands_are_quantiles_of_the_losses() -> None:
    data = shown(mixed())
    band = data["history"]["band"]
    low, middle, high = (np.array(line) for line in band["quantiles"])
    assert (low <= middle).all() and (middle <= high).all()
    assert len(low) == len(band["numbers"])
