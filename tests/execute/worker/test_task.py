"""One call of the objective and its report, as it happens on a worker."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from typing import Any, get_args, get_type_hints

import cloudpickle
import numpy as np
import pytest

from sparktuner.execute.worker import Outcome, call, decode, describe, encode, serve
from sparktuner.status import FailureKind


def trial(objective: Any, argument: Any) -> Any:
    return decode(serve([cloudpickle.dumps(objective)], pickle.dumps(argument), "7"))


def test_the_report_of_a_worker_holds_value_place_and_time() -> None:
    report = trial(lambda x: {"loss": x}, 3)
    assert report["value"] == {"loss": 3}
    assert (report["executor"], report["pid"]) == ("7", os.getpid())
    assert report["duration"] >= 0


def test_the_objective_is_unpickled_once() -> None:
    shipped: list[Any] = [cloudpickle.dumps(lambda x: id(trial))]
    serve(shipped, pickle.dumps(0), "")
    first = shipped[0]
    assert callable(first)
    serve(shipped, pickle.dumps(0), "")
    assert shipped[0] is first


def test_the_first_trial_that_changes_what_is_captured_is_marked() -> None:
    seen: list[int] = []
    rng = np.random.default_rng(0)
    big = [0.5] * 10, np.zeros(200_000)

    def reports(objective: Any, n: int = 2) -> list[bool]:
        shipped: list[Any] = [cloudpickle.dumps(objective)]
        serve(shipped, b"", "")
        outcomes = [decode(serve(shipped, pickle.dumps(i), "")) for i in range(n)]
        return [outcome.get("changed", False) for outcome in outcomes]

    assert reports(lambda x: seen.append(x) or 0) == [True, False]  # type: ignore[func-returns-value]
    assert reports(lambda x: rng.random()) == [True, False]
    assert reports(lambda x: (len(seen), [*seen, x], big[0][0])) == [False, False]
    # Above a megabyte nobody looks.
    assert reports(lambda x: big[0].append(x) or 0) == [False, False]  # type: ignore[func-returns-value]


def test_captured_state_that_cannot_be_pickled_again_is_not_watched() -> None:
    class Once:
        def __reduce__(self) -> Any:
            return threading.Lock, ()

    once = Once()
    assert "changed" not in trial(lambda x: bool(once), 0)


def test_an_objective_that_does_not_unpickle_is_a_failure_that_says_so() -> None:
    report = decode(serve([b"cno_such_module\nname\n."], pickle.dumps(0), ""))
    kind, message, text = report["error"]
    assert kind == "ModuleNotFoundError"
    assert "could not be unpickled on the worker" in message
    assert "No module named 'no_such_module'" in message
    assert report["host"] in message
    assert "ModuleNotFoundError" in text


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_whatever_the_objective_raises_is_a_report(kind: type[BaseException]) -> None:
    def raises(_: Any) -> None:
        raise kind("x")

    assert trial(raises, 0)["error"][:2] == (kind.__name__, "x")


def test_a_result_that_cannot_be_pickled_names_the_field() -> None:
    report = trial(lambda _: {"loss": 0, "model": {"fitted": [1, threading.Lock()]}}, 0)
    kind, message, _ = report["error"]
    assert kind == "UnpicklableResult"
    assert "result['model']['fitted'][1] is a _thread.lock" in message
    assert "value" not in report
    assert report["duration"] >= 0


def test_a_result_of_a_class_of_the_user_s_script_travels() -> None:
    def objective(_: Any) -> Any:
        class Local:
            loss = 3

        return Local()

    assert trial(objective, 0)["value"].loss == 3


def test_a_result_that_does_not_unpickle_on_the_driver_is_a_failure() -> None:
    class OnlyThere:
        def __reduce__(self) -> Any:
            return eval, ("1/0",)

    report = decode(encode(call(lambda _: OnlyThere(), 0)))
    kind, message, _ = report["error"]
    assert kind == "UnpicklableResult"
    assert "could not be unpickled on the driver: ZeroDivisionError" in message


def test_a_worker_names_only_kinds_of_failure_that_the_driver_knows() -> None:
    named = get_args(get_type_hints(Outcome)["kind"])
    assert {"objective", "result", "argument"} == {FailureKind(name).value for name in named}
    assert trial(lambda _: 1 / 0, 0)["kind"] == "objective"
    assert trial(lambda _: threading.Lock(), 0)["kind"] == "result"
    assert decode(serve([b"cno_such_module\nname\n."], b"", ""))["kind"] == "argument"


def test_the_exception_itself_stays_where_it_was_raised() -> None:
    report = call(lambda _: 1 / 0, 0)
    assert isinstance(report["exception"], ZeroDivisionError)
    assert "exception" not in decode(encode(report))


def test_a_traceback_keeps_causes_and_leaves_our_frames_out() -> None:
    def objective(_: Any) -> None:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise RuntimeError("second") from error

    text = call(objective, 0)["error"][2]
    assert "KeyError: 'first'" in text
    assert "direct cause" in text
    assert "sparktuner/execute" not in text


def test_an_exception_that_cannot_be_printed_is_still_described() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    kind, message, _ = describe(Mute())
    assert kind.endswith("Mute")
    assert "no words" in message


def test_an_exception_whose_text_exits_is_still_described() -> None:
    class Exiting(Exception):
        def __str__(self) -> str:
            raise SystemExit(3)

    kind, message, _ = describe(Exiting())
    assert kind.endswith("Exiting")
    assert "SystemExit(3)" in message


def test_of_a_huge_message_the_beginning_and_the_end_travel() -> None:
    _, message, text = describe(ValueError("begin" + "x" * 10**7 + "end"))
    assert message.startswith("begin")
    assert message.endswith("end")
    assert "characters are left out" in text
    assert len(message) + len(text) < 100_000


def test_the_worker_s_part_needs_no_sparktuner(tmp_path: Any) -> None:
    pytest.importorskip("pyspark")
    from sparktuner.execute.spark._shipping import pack_objective

    packed = pack_objective(lambda x: {"loss": x, "lock": threading.Lock()} if x else x)
    (tmp_path / "shipped").write_bytes(pickle.dumps(packed))
    program = f"""
import pickle, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sparktuner", "cloudpickle", "numpy", "scipy", "tqdm"):
            raise ImportError(name + " is not here")
sys.meta_path.insert(0, Refuse())
shipped = pickle.load(open({str(tmp_path / "shipped")!r}, "rb"))
serve = pickle.loads(shipped[0])
for argument in (0, 1):
    report = pickle.loads(serve(shipped, pickle.dumps(argument), ""))
    print(report.get("pickled") and pickle.loads(report["pickled"]), report.get("error"))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert answer.stderr == ""
    first, second = answer.stdout.splitlines()
    assert first == "0 None"
    assert "result['lock'] is a _thread.lock" in second
