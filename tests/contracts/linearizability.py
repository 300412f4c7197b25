"""Checks that concurrent calls of a store look as if they had been made one after the other.

Each trial is a register that changes by compare-and-set, and linearizability is local (Herlihy
and Wing, 1990, theorem 1), so the calls are looked at trial by trial. Every write names the
version that it replaces, so only one order of the writes is possible, and it is enough to find
a moment for each call that is in that order, and while the call was under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

# The version of a trial, its owner, and what was last written: 0 at first.
State: TypeAlias = tuple[int, str | None, int]


@dataclass(frozen=True)
class Call:
    """What a call did to one trial, or said of it.

    Attributes:
        start: when it was made, in ns of the machine's clock.
        end: when it returned.
        kind: ``read``; ``set`` and ``stale``, a compare-and-set that was carried out or refused;
            ``claim`` and ``passed``, a claim that took the trial or left it.
        state: what was read; what was set or claimed, with its new version; for ``stale`` that
            which would have been. Without meaning for ``passed``.
    """

    start: int
    end: int
    kind: str
    state: State


def first_violation(calls: Iterable[Call], state: State = (0, None, 0)) -> str:
    """Returns what cannot have happened in any order, in words; "" where all can.

    Args:
        calls: all of one trial.
        state: before them.
    """
    left = sorted(calls, key=lambda call: call.start)
    while left:
        # Whatever begins after another call's end comes after that call.
        bound = min(call.end for call in left)
        may_be_next = [call for call in left if call.start <= bound]
        looks = [call for call in may_be_next if _is_seen(call, state)]
        if looks:
            # They change nothing, so nothing is lost by taking them as soon as they fit.
            left = [call for call in left if call not in looks]
            continue
        write = next((call for call in may_be_next if _follows(call, state)), None)
        if write is None:
            return f"in state {state} none of these can be the next: {may_be_next}"
        left.remove(write)
        state = write.state
    return ""


def _is_seen(call: Call, state: State) -> bool:
    version, owner, _ = state
    return {
        "read": call.state == state,
        "stale": call.state[0] != version + 1,
        "passed": owner is not None,
    }.get(call.kind, False)


def _follows(call: Call, state: State) -> bool:
    version, owner, value = state
    if call.kind == "claim":
        return owner is None and (call.state[0], call.state[2]) == (version + 1, value)
    return call.kind == "set" and call.state[0] == version + 1
