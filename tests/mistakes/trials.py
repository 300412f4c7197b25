"""Trials: how they are made, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparktuner import (
    Ctrl,
    Domain,
    SparkTrials,
    ThreadTrials,
    Trials,
    fmin,
    hp,
    rand,
    trials_from_docs,
)
from sparktuner.driver import SearchArguments
from sparktuner.fmin import generate_trial
from sparktuner.testing import local_spark
from tests.mistakes.judge import Argument
from tests.mistakes.reasons import DICTS, FLAGS, SECONDS
from tests.mistakes.values import VALUES

X: Any = hp.uniform("x", -1, 1)
_KEY = {"text, or none": "None text empty_text digits surrogate"}
_DEFAULT = {"the default": "None"}
_STATES = {"states": "0 list tuple set range array", "of none": "empty_list"}
_COUNT = {"a number": "0 7"}
_UNHASHABLE = "empty_list list list_of_None loop empty_dict dict dict_of_numbers set read_only"
_HASHABLE = {
    "what can be looked up, as other tools have it": " ".join(
        VALUES.keys() - {*_UNHASHABLE.split(), "array", "matrix", "nan_array"}
    )
}
_ANY_ENTRIES = {"an entry a trial, of any kind": "list_of_None loop"}
# Text and digits name a file that would be written.
_NO_PATHS = tuple(VALUES.keys() - {"text", "digits", "surrogate"})


def _two() -> Trials:
    return trials_from_docs([generate_trial(0, {"x": 0.5}), generate_trial(1, {"x": 0.25})])


def _document(**changed: object) -> Any:
    return {**generate_trial(5, {"x": 0.5}), **changed}


def _misc(**changed: object) -> Any:
    return {**_document()["misc"], **changed}


def _columns(name: str, value: object) -> Mapping[str, Any]:
    misc, result = _misc(tid=7), {"status": "ok", "loss": 1.0}
    given = {"tids": [7], "specs": [None], "results": [result], "miscs": [misc]}
    return {**given, name: value}


def _inserted(document: Any) -> Trials:
    """Trials with a document that one may have read from a file, searched on."""
    trials = Trials()
    trials.insert_trial_doc(document)
    trials.refresh()
    assert repr(trials)
    fmin(abs, X, rand.suggest, len(trials) + 1, trials=trials, verbose=False)
    return trials


def _inject(name: str, value: object) -> object:
    given = dict(_columns(name, value))
    given["new_tids"] = given.pop("tids")
    trials = _two()
    return Ctrl(trials, trials.trials[0]).inject_results(**given)


_MADE = [
    Argument("Trials(exp_key)", Trials, ("exp_key",), _KEY),
    Argument("Trials(refresh)", lambda v: Trials(refresh=v), ("refresh",), FLAGS),
    Argument("Trials(store)", lambda v: Trials(store=v), ("store",), _DEFAULT),
    Argument("Trials(runner)", lambda v: Trials(runner=v), ("runner",), _DEFAULT),
    Argument(
        "trials_from_docs(docs)", trials_from_docs, ("docs", "trial"), {"none": "empty_list"}
    ),
    Argument(
        "trials_from_docs(validate)", lambda v: trials_from_docs([], v), ("validate",), FLAGS
    ),
]
_READ = [
    Argument("Trials.count_by_state_synced(arg)", _two().count_by_state_synced, ("arg",), _STATES),
    Argument(
        "Trials.count_by_state_unsynced(arg)", _two().count_by_state_unsynced, ("arg",), _STATES
    ),
    Argument(
        "Trials.count_by_state_synced(trials)",
        lambda v: _two().count_by_state_synced(0, v),
        ("trials", "trial is"),
        {"its own": "None", "none": "empty_list"},
    ),
    Argument("Trials.history(space)", _two().history, ("space",)),
    Argument("Trials.aname(trial)", lambda v: _two().aname(v, "a"), ("trial",)),
    Argument(
        "Trials.aname(name)",
        lambda v: _two().aname(_two().trials[0], v),
        ("name",),
        {"text": "text empty_text digits surrogate"},
    ),
    Argument("Trials.trial_attachments(trial)", _two().trial_attachments, ("trial",)),
    Argument("Trials.report(path)", _two().report, ("path",), values=_NO_PATHS),
    Argument("Trials.view(exp_key)", lambda v: _two().view(v), ("exp_key",), _KEY),
    Argument("Trials.view(refresh)", lambda v: _two().view(None, v), ("refresh",), FLAGS),
    Argument("Trials.over(log)", lambda v: _two().over(v), ("log",)),
]
_WRITTEN = [
    Argument("Trials.assert_valid_trial(trial)", _two().assert_valid_trial, ("trial",)),
    Argument("Trials.insert_trial_doc(doc)", _two().insert_trial_doc, ("trial",)),
    Argument(
        "Trials.insert_trial_docs(docs)",
        _two().insert_trial_docs,
        ("docs", "trial"),
        {"none": "empty_list"},
    ),
    Argument("Trials.new_trial_ids(n)", lambda v: _two().new_trial_ids(v), ("n must",), _COUNT),
    *(
        Argument(
            f"Trials.insert_trial_doc(doc) with {key}",
            lambda v, key=key: _inserted(_document(**{key: v})),
            (key,),
            accepts,
        )
        for key, accepts in (
            ("tid", {}),
            ("state", {"a state": "0"}),
            ("result", DICTS),
            ("misc", {}),
            ("exp_key", _HASHABLE),
            ("owner", _HASHABLE),
            ("version", {"a number": "True -1 0 7 huge_int"}),
        )
    ),
    *(
        Argument(
            f"Trials.insert_trial_doc(doc) with misc {key}",
            lambda v, key=key: _inserted(_document(misc=_misc(**{key: v}))),
            (key, "no value for parameter"),
            accepts,
        )
        for key, accepts in (
            ("tid", {}),
            ("idxs", {"of no parameter": "empty_dict"}),
            ("vals", {}),
        )
    ),
]
_NEW = [
    *(
        Argument(
            f"Trials.new_trial_docs({name})",
            lambda v, name=name: _two().new_trial_docs(**_columns(name, v)),
            (name,),
            _ANY_ENTRIES if name in ("tids", "specs") else {},
        )
        for name in ("tids", "specs", "results", "miscs")
    ),
    Argument(
        "Trials.source_trial_docs(sources)",
        lambda v: _two().source_trial_docs(**_columns("sources", v)),
        ("sources",),
    ),
    *(
        Argument(
            f"Ctrl.inject_results({name})",
            lambda v, name=name: _inject(name, v),
            (name, "tid "),
            {"any": "list_of_None loop"} if name == "specs" else {},
        )
        for name in ("tids", "specs", "results", "miscs")
    ),
    Argument("Ctrl(trials)", Ctrl, ("trials",), _DEFAULT),
    Argument(
        "Ctrl(current_trial)", lambda v: Ctrl(_two(), v), ("current_trial",), DICTS | _DEFAULT
    ),
    Argument(
        "Ctrl.checkpoint(r)",
        lambda v: Ctrl(_two(), _two().trials[0]).checkpoint(v),
        ("r must",),
        DICTS | {"nothing to keep": "None"},
    ),
]
_SEARCHED = [
    Argument(
        "Trials.search(domain)",
        lambda v: _two().search(v, SearchArguments(abs, X, max_evals=2)),
        ("domain",),
    ),
    Argument("Trials.search(arguments)", lambda v: _two().search(Domain(abs, X), v), ("arg",)),
    Argument(
        "Trials.search(most_queued)",
        lambda v: _two().search(Domain(abs, X), SearchArguments(abs, X, max_evals=2), v),
        ("most_queued",),
        {"a number": "0 7 1e308 huge_int", "all": "None"},
    ),
]
_MASTERS = ("text", "empty_text", "digits", "surrogate")


def _wide(most: Any) -> SparkTrials:
    trials = SparkTrials(2)
    trials.MAX_CONCURRENT_JOBS_ALLOWED = most
    return trials


_SPARK: Mapping[str, Mapping[str, str]] = {
    "parallelism": {"a number": "7", "the cluster's": "None"},
    "timeout": SECONDS,
    "loss_threshold": {"a number, or none": "None -1 0 7 0.5 inf -inf 1e308"},
    "spark_session": _DEFAULT,
    "resource_profile": _DEFAULT,
    "trial_timeout": SECONDS,
    "exp_key": _KEY,
    "store": _DEFAULT,
    "max_trial_retries": {"a number": "0 7 1e308 huge_int"},
    # In memory there is nothing to write to, which True is told.
    "attach_directly": {"false, by a number too": "None 0"},
}
_KINDS = [
    *(
        Argument(
            f"SparkTrials().{name}",
            lambda v, name=name: setattr(SparkTrials(), name, v),
            (name,),
            _SPARK[name],
        )
        for name in ("timeout", "loss_threshold", "trial_timeout", "max_trial_retries")
    ),
    Argument(
        "SparkTrials().user_specified_parallelism",
        lambda v: setattr(SparkTrials(), "user_specified_parallelism", v),
        ("parallelism",),
        _SPARK["parallelism"],
    ),
    Argument(
        "SparkTrials.MAX_CONCURRENT_JOBS_ALLOWED",
        lambda v: _wide(v).parallelism,
        ("MAX_CONCURRENT_JOBS_ALLOWED",),
        {"a number": "7 1e308 huge_int"},
    ),
    Argument(
        "trial_attachments()[name]",
        lambda v: _two().trial_attachments(_two().trials[0]).__setitem__(v, 1),
        ("name",),
        {"text": "text empty_text digits surrogate"},
    ),
    Argument(
        "local_spark(cores)",
        lambda v: local_spark(v).__enter__(),
        ("cores",),
        values=tuple(VALUES.keys() - {"7", "int64", "1e308", "huge_int", *_MASTERS}),
    ),
    Argument(
        "local_spark(connect)",
        lambda v: local_spark(2, connect=v).__enter__(),
        ("connect",),
        values=("text", "empty_text", "list", "object", "bad_equal", "array"),
    ),
    Argument("ThreadTrials(parallelism)", ThreadTrials, ("parallelism",), {"a number": "7"}),
    *(
        Argument(
            f"ThreadTrials({name})",
            lambda v, name=name: ThreadTrials(2, **{name: v}),
            (name,),
            _SPARK[name],
        )
        for name in ("spark_session", "exp_key", "store")
    ),
    *(
        Argument(
            f"SparkTrials({name})", lambda v, name=name: SparkTrials(**{name: v}), (name,), accepts
        )
        for name, accepts in _SPARK.items()
    ),
]
TRIALS = [*_MADE, *_READ, *_WRITTEN, *_NEW, *_SEARCHED, *_KINDS]
