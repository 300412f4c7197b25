"""Asking the algorithm for trials, and what it may know when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from sparktuner.checks import check_list
from sparktuner.domain import Domain
from sparktuner.driver._protocol import TrialsView
from sparktuner.errors import InvalidTrial
from sparktuner.records import (
    MemoryStore,
    Tid,
    TrialDocument,
    TrialLog,
    has_ended,
    validate_document,
)
from sparktuner.status import JOB_STATE_RUNNING, STATUS_NEW
from sparktuner.suggest import Suggest


class Suggestions(Protocol):
    """Where the loop's trials come from."""

    def most_at_a_time(self) -> int | None:
        """Returns how many may be asked for now; None is any number."""

    def next(self, tids: list[Tid], seed: int) -> list[TrialDocument]:
        """Returns a document for each id, or fewer: the algorithm has nothing more to give."""


class AsTheyCome:
    """Lets the algorithm know every result that is there.

    Args:
        suggest: the algorithm.
        domain: what it is asked for.
        trials: what it is shown.
    """

    def __init__(self, suggest: Suggest, domain: Domain, trials: TrialsView) -> None:
        self._suggest = suggest
        self._domain = domain
        self._trials = trials

    def most_at_a_time(self) -> int | None:
        return None

    def next(self, tids: list[Tid], seed: int) -> list[TrialDocument]:
        # A user's own algorithm reads `trials.trials`, which is as of the last refresh.
        self._trials.refresh()
        return _checked(self._suggest(tids, self._domain, self._trials, seed))


def _checked(documents: object) -> list[TrialDocument]:
    """What an algorithm of the user's returned, if it is documents."""
    check_list("what algo returns", documents, "trial documents, as rand.suggest makes them")
    listed: list[TrialDocument] = list(documents)  # type: ignore[call-overload]
    for document in listed:
        try:
            validate_document(document)
        except InvalidTrial as error:
            raise InvalidTrial(f"algo returned what is no trial document: {error}") from None
        # Documents that users write by hand often have none.
        document.setdefault("version", 0)
    return listed


class InOrder:
    """Lets suggestion i know the results of trials 0 to i - window, and nothing of the rest.

    The algorithm is shown trials of its own, in which later ones are still running however
    they ended, so that its answer depends on the seed and the objective alone.

    Args:
        suggest: the algorithm.
        domain: what it is asked for.
        trials: the kind of trials that it is shown.
        log: the search's trials.
        window: how many trials are in flight at most.
    """

    def __init__(
        self, suggest: Suggest, domain: Domain, trials: TrialsView, log: TrialLog, window: int
    ) -> None:
        self._log = log
        self._window = window
        # A log of its own, because an algorithm may read whatever the trials hold.
        self._shown = TrialLog(MemoryStore(), log.exp_key)
        self._shown.reading = log.reading
        self._asked = AsTheyCome(suggest, domain, trials.over(self._shown))
        self._revealed = 0

    def most_at_a_time(self) -> int:
        """Returns 1 when all results that the next suggestion is to know are in, else 0."""
        needed = self._log.documents[self._revealed : self._needed()]
        return int(all(has_ended(document) for document in needed))

    def next(self, tids: list[Tid], seed: int) -> list[TrialDocument]:
        self._show()
        return self._asked.next(tids, seed)

    def _show(self) -> None:
        documents, shown = self._log.documents, self._shown.documents
        self._shown.insert([_hidden(document) for document in documents[len(shown) :]])
        # In place: their versions stay as they are, so a refresh does not bring back the old ones.
        while self._revealed < self._needed():
            shown[self._revealed].update(documents[self._revealed])
            self._revealed += 1

    def _needed(self) -> int:
        # Never fewer than before: trials that were there before this search are all known.
        return max(self._revealed, len(self._log.documents) - self._window + 1)


def _hidden(document: TrialDocument) -> TrialDocument:
    """The document as it was while its trial ran."""
    running: Mapping[str, Any] = {"state": JOB_STATE_RUNNING, "result": {"status": STATUS_NEW}}
    return cast(TrialDocument, {**document, **running})
