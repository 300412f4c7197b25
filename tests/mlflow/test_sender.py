"""What is written, and when it is given up: with a server that is a Python object."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparktuner.cli import main
from sparktuner.mlflow._entries import PARENT, Entry
from sparktuner.mlflow._kept import kept_path, read
from sparktuner.mlflow._sender import Sender
from sparktuner.mlflow._tracking import Target, Tracking

TARGET = Target("http://me:SECRET@host", None, None, "0123456789abcdef")
START = Entry(PARENT, name="search", start=1, tags={"a": "b"})


class FakeTracking:
    """Takes an entry in one request.

    Args:
        fails: called with each entry; may raise.
    """

    def __init__(self, fails: Callable[[Entry], None] = lambda entry: None) -> None:
        self.runs: dict[str, str] = {}
        self.sent: list[Entry] = []
        self.fails = fails

    def __call__(self, target: Target) -> Any:
        return self

    def send(self, entry: Entry) -> Entry | None:
        self.fails(entry)
        assert entry.run == PARENT or PARENT in self.runs
        self.runs[entry.run] = f"id-{entry.run}"
        self.sent.append(entry)
        return None

    def skip(self, entry: Entry) -> Entry | None:
        return None


class Refused(Exception):
    error_code = "INVALID_PARAMETER_VALUE"


def trial(tid: int) -> Entry:
    return Entry(str(tid), start=1, params={"x": "1"}, status="FINISHED", end=2)


def raising(error: Exception) -> Callable[[Entry], None]:
    def fail(entry: Entry) -> None:
        raise error

    return fail


def waiting_for(go: threading.Event) -> Callable[[Entry], None]:
    def wait(entry: Entry) -> None:
        go.wait(60)

    return wait


def test_the_parent_comes_first_and_what_names_other_runs_last() -> None:
    tracking = FakeTracking()
    sender = Sender(TARGET, tracking=tracking)
    for tid in range(50):
        sender.put(trial(tid))
    end = Entry(PARENT, refers={"best_trial": "7"}, status="FINISHED", end=3)
    sender.put(START.merged(end))
    sender.close(60)
    assert tracking.sent[0] == START
    assert tracking.sent[-1] == end
    assert {entry.run for entry in tracking.sent[1:-1]} == {str(tid) for tid in range(50)}
    assert sender.run_id == "id-"


def test_entries_of_one_run_that_wait_become_one() -> None:
    go = threading.Event()
    tracking = FakeTracking(waiting_for(go))
    sender = Sender(TARGET, threads=1, tracking=tracking)
    sender.put(START)
    for step in range(100):
        sender.put(Entry(PARENT, metrics=(("loss", 1.0, 1, step),)))
        sender.put(Entry("7", params={f"p{step}": "1"}))
    go.set()
    sender.close(60)
    assert len(tracking.sent) <= 4
    assert sum(len(entry.metrics) for entry in tracking.sent) == 100
    [child] = [entry for entry in tracking.sent if entry.run == "7"]
    assert len(child.params) == 100


@pytest.mark.parametrize("error", [Refused, NotImplementedError])
def test_what_the_server_refuses_is_left_out_and_said_once(
    error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(entry: Entry) -> None:
        if entry.run in ("3", "4"):
            raise error("no such thing")

    tracking = FakeTracking(refuse)
    sender = Sender(TARGET, tracking=tracking)
    sender.put(START)
    for tid in range(6):
        sender.put(trial(tid))
    sender.close(60)
    assert {entry.run for entry in tracking.sent} == {"", "0", "1", "2", "5"}
    assert len(caplog.records) == 1 and f"{error.__name__}: no such thing" in caplog.text


def test_an_experiment_that_another_search_has_made_meanwhile_is_taken() -> None:
    class Exists(Exception):
        error_code = "RESOURCE_ALREADY_EXISTS"

    class Client:
        def __init__(self) -> None:
            self.found = [None, SimpleNamespace(experiment_id="7")]

        def get_experiment_by_name(self, name: str) -> Any:
            return self.found.pop(0)

        def create_experiment(self, name: str) -> str:
            raise Exists(name)

    tracking = Tracking(replace(TARGET, experiment="digits"))
    tracking.__dict__["_client"] = Client()
    assert tracking._experiment_id() == "7"


def test_of_what_is_refused_as_little_as_possible_is_left_out() -> None:
    tracking = Tracking(TARGET, runs={"1": "id-1"})
    entry: Entry | None = Entry(
        "1",
        params={"x": "1"},
        metrics=(("loss", 1.0, 1, 0),),
        texts={"a.txt": "a", "b.txt": "b"},
        inputs=({"name": "a"}, {"name": "b"}),
        models_of="1",
        status="FINISHED",
        end=2,
    )
    left = []
    while entry is not None:
        left.append(entry)
        entry = tracking.skip(entry)
    assert not left[1].params and left[1].metrics
    assert not left[2].metrics and left[2].texts.keys() == {"a.txt", "b.txt"}
    assert [[*each.texts] for each in left[3:5]] == [["b.txt"], []]
    assert [len(each.inputs) for each in left[4:7]] == [2, 1, 0]
    assert [bool(each.models_of) for each in left[6:8]] == [True, False]
    assert left[-1].status == "FINISHED" and len(left) == 8


def test_a_request_that_fails_is_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    failures = [ConnectionError(), TimeoutError()]

    def fail(entry: Entry) -> None:
        if entry.run == "1" and failures:
            raise failures.pop()

    tracking = FakeTracking(fail)
    sender = Sender(TARGET, tracking=tracking)
    for entry in (START, trial(0), trial(1)):
        sender.put(entry)
    sender.close(60)
    assert {entry.run for entry in tracking.sent} == {"", "0", "1"}
    assert len(caplog.records) == 1


def test_what_is_not_written_by_the_end_is_kept_without_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ConnectionError("no http://me:SECRET@host/api")
    sender = Sender(TARGET, patience=0.3, tracking=FakeTracking(raising(error)))
    entries = [START, trial(0), trial(1)]
    with caplog.at_level(logging.INFO):
        for entry in entries:
            sender.put(entry)
        began = time.monotonic()
        sender.close(60)
    assert time.monotonic() - began < 10
    path = kept_path(TARGET.search_id)
    target, runs, kept = read(path)
    assert (target.uri, runs, kept) == ("http://host", {}, entries)
    assert "SECRET" not in caplog.text + path.read_text()
    # One warning; where the file is was said in it.
    assert [r.levelname for r in caplog.records].count("WARNING") == 1


def test_a_search_that_goes_on_adds_to_what_is_kept() -> None:
    for tid in (0, 1):
        sender = Sender(TARGET, patience=0.1, tracking=FakeTracking(raising(OSError())))
        sender.put(START)
        sender.put(trial(tid))
        sender.close(60)
    _, _, kept = read(kept_path(TARGET.search_id))
    assert [entry.run for entry in kept] == ["", "0", "1"]


def test_what_comes_while_too_much_waits_is_left_out_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    go = threading.Event()
    tracking = FakeTracking(waiting_for(go))
    sender = Sender(TARGET, capacity=5, tracking=tracking)
    sender.put(START)
    for tid in range(20):
        sender.put(trial(tid))
    go.set()
    sender.close(60)
    assert 5 <= len(tracking.sent) <= 7
    assert "was not told of" in caplog.records[-1].getMessage()


def test_a_search_does_not_wait_for_a_server_that_hangs(kept: Path) -> None:
    go = threading.Event()
    sender = Sender(TARGET, tracking=FakeTracking(waiting_for(go)))
    sender.put(START)
    began = time.monotonic()
    sender.close(0.2)
    assert time.monotonic() - began < 5
    assert list(kept.iterdir())
    go.set()


def test_the_command_says_what_is_wrong_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "no.jsonl"
    assert main(["mlflow", "replay", str(file)]) == 1
    file.write_text('{"form": "something else"}\n')
    assert main(["mlflow", "replay", str(file)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert "No such file" in said[0]
    assert "is no file of what MLflow could not be told" in said[1]
