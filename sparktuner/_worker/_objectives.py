"""With which objective a trial is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cloudpickle

from sparktuner._named import imported
from sparktuner.domain import Domain
from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.records import TrialDocument, TrialStore


class Objectives:
    """The objectives that trials are made for: one that was named, or those in the store.

    Args:
        objective: ``module:function``; None takes those in the store, which are unpickled.
        space: ``module:space``, for ``objective``.
    """

    def __init__(self, objective: str | None, space: str | None) -> None:
        self._named: Domain | None = None
        self._kept: dict[str, Any] = {}
        if objective is not None:
            if space is None:
                raise ValueError("--space module:space is needed beside an objective")
            self._named = Domain(imported("OBJECTIVE", objective), imported("--space", space))

    def of(self, document: TrialDocument, store: TrialStore) -> Any:
        """Returns a trial's objective with its space; Hyperopt's is of Hyperopt's own class.

        Raises:
            StoreError: there is none, or it cannot be loaded here.
        """
        if self._named is not None:
            return self._named
        command = document["misc"].get("cmd")
        if not isinstance(command, Sequence) or list(command)[:1] != ["domain_attachment"]:
            raise StoreError(
                f"trial {document['tid']} does not say with which objective to run it (its cmd "
                f"is {command!r}); name one: sparktuner worker module:objective --space "
                "module:space"
            )
        name = str(command[1])
        if name not in self._kept:
            self._kept[name] = _unpickled(store, name)
        return self._kept[name]


def _unpickled(store: TrialStore, name: str) -> Any:
    try:
        return cloudpickle.loads(store.attachments.read_bytes(name))
    except StoreUnavailable:
        raise
    except KeyError:
        raise StoreError(
            f"{store.location} has no attachment {name!r}, the objective of a trial that waits; "
            "run the trials of one experiment alone (--exp-key), or name an objective: "
            "module:objective --space module:space"
        ) from None
    except Exception as error:  # whatever unpickling raises
        raise StoreError(
            f"the objective {name!r} of {store.location} cannot be loaded here "
            f"({type(error).__name__}: {error}); start the worker where the modules that it uses "
            "can be imported, or name an objective: module:objective --space module:space"
        ) from error
