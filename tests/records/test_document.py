"""Trial documents move along the arrows of their states and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner.errors import InvalidTrial
from sparktuner.records import advance, configuration_of, new_document, validate_document
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATES,
)

ENDS = {JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_CANCEL}


@given(st.lists(st.sampled_from(JOB_STATES), max_size=12))
def test_whatever_is_tried_a_document_stays_valid_and_an_end_is_final(wanted: list[int]) -> None:
    document = new_document(3, {"x": 1.0}, ["x", "y"])
    for state in wanted:
        before = document["state"]
        try:
            advance(document, state)
        except InvalidTrial:
            assert document["state"] == before
        else:
            assert before not in ENDS
            assert document["state"] == state
        validate_document(document)
    if document["state"] == JOB_STATE_DONE:
        assert document["book_time"] <= document["refresh_time"]


def test_a_result_needs_a_trial_that_was_running() -> None:
    with pytest.raises(InvalidTrial, match="cannot go from state 0 to 2"):
        advance(new_document(0, {}), JOB_STATE_DONE)


def test_a_trial_that_failed_has_a_result_that_says_so() -> None:
    document = new_document(0, {})
    advance(document, JOB_STATE_RUNNING)
    advance(document, JOB_STATE_ERROR, error=("ValueError", "too wide"))
    assert document["result"] == {"status": "fail"}
    assert document["misc"]["error"] == ("ValueError", "too wide")


def test_a_trial_that_is_queued_again_can_run_again() -> None:
    document = new_document(0, {})
    for state in (JOB_STATE_RUNNING, JOB_STATE_NEW, JOB_STATE_RUNNING, JOB_STATE_DONE):
        advance(document, state, result={"status": "ok", "loss": 1.0})
    assert document["result"]["loss"] == 1.0


def test_times_are_naive_utc_to_the_millisecond() -> None:
    document = new_document(0, {})
    advance(document, JOB_STATE_RUNNING)
    assert document["book_time"].tzinfo is None
    assert document["book_time"].microsecond % 1000 == 0


def test_inactive_labels_have_empty_lists() -> None:
    document = new_document(7, {"x": 1.0}, ["x", "y"])
    assert document["misc"]["vals"] == {"x": [1.0], "y": []}
    assert document["misc"]["idxs"] == {"x": [7], "y": []}
    assert configuration_of(document) == {"x": 1.0}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda d: d.update(state=9), "state must be one of"),
        (lambda d: d["misc"].update(tid=8), "misc\\['tid'\\] is 8"),
        (lambda d: d["misc"].update(vals={"x": [1, 2]}), "at most one value"),
        (lambda d: d["misc"].update(vals={"x": 1}), "at most one value"),
        (lambda d: d.update(misc=None), "misc is a dictionary"),
    ],
)
def test_an_ill_formed_document_is_refused(change: object, text: str) -> None:
    document = new_document(0, {"x": 1})
    change(document)  # type: ignore[operator]
    with pytest.raises(InvalidTrial, match=text):
        validate_document(document)
