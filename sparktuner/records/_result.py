"""What an objective returned, made a result dictionary or refused."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from sparktuner.checks import shown
from sparktuner.errors import InvalidLoss, InvalidResultStatus
from sparktuner.status import STATUS_FAIL, STATUS_OK, STATUS_STRINGS

_RETURN_EITHER = "return the loss as a number, or {'status': 'ok', 'loss': ...}"


def normalise_result(value: object) -> dict[str, Any]:
    """Returns a result dictionary with a ``status`` and, where that is ok, a float ``loss``.

    Other keys are kept. A loss of NaN or infinity is no minimum of anything: such a result
    keeps its loss, but its status becomes ``fail`` and ``failure`` says why.

    Raises:
        InvalidResultStatus: a dictionary without a valid ``status``, or whose ``attachments``
            are no dictionary.
        InvalidLoss: no real number where a loss should be.
    """
    if not isinstance(value, Mapping):
        return _checked({"status": STATUS_OK, "loss": _number(value, "the objective returned")})
    # A copy: the objective may go on using the dictionary that it returned.
    result = dict(value)
    attachments = result.get("attachments")
    named = isinstance(attachments, Mapping) and all(isinstance(k, str) for k in attachments)
    if attachments is not None and not named:
        raise InvalidResultStatus(
            "the result's 'attachments' must be a dictionary from names to what is kept, got "
            f"{shown(attachments, 80)}"
        )
    status = result.get("status")
    # Refused, not guessed: a result without a status is a typing error, such as 'OK'.
    if not isinstance(status, str) or status not in STATUS_STRINGS:
        raise InvalidResultStatus(
            f"the objective's result needs a 'status' out of {list(STATUS_STRINGS)}, got "
            + (shown(status) if "status" in result else f"only the keys {list(result)}")
            + f"; {_RETURN_EITHER}"
        )
    # A failed trial needs no loss, and its other keys may say why it failed.
    if status != STATUS_OK:
        return result
    if "loss" not in result:
        raise InvalidLoss(
            f"the objective's result has status 'ok' but no 'loss', only the keys {list(result)}"
        )
    result["loss"] = _number(result["loss"], "the result's 'loss' is")
    return _checked(result)


def _number(value: object, subject: str) -> float:
    if value is None:
        hint = "; is a return statement missing?" if "returned" in subject else ";"
        raise InvalidLoss(f"{subject} None, not a number{hint} {_RETURN_EITHER}")
    # Closed, or Python warns at some later time of a coroutine that was never awaited.
    if inspect.iscoroutine(value):
        value.close()
        raise InvalidLoss(
            "the objective is an async function, and nobody runs what it returned; make it a "
            "plain function that calls asyncio.run(...)"
        )
    try:
        if isinstance(value, str | bytes | complex):
            raise TypeError
        # A NumPy array or a tensor of one element is a number; float() of it is on its way out.
        item = value.item() if hasattr(value, "item") else value
        if isinstance(item, complex):
            raise TypeError
        return float(item)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise InvalidLoss(
            f"{subject} {shown(value, 80)} of type {type(value).__name__}, which is not a real "
            f"number; {_RETURN_EITHER}"
        ) from None


def _checked(result: dict[str, Any]) -> dict[str, Any]:
    # Kept as the user returned it: a diverging training says something too.
    if not math.isfinite(result["loss"]):
        result["status"] = STATUS_FAIL
        result["failure"] = f"the loss is {result['loss']}, which cannot be compared"
    return result
