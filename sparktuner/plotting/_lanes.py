"""When trials ran, on which host, and side by side with which others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush

from sparktuner.plotting._seen import SeenTrials
from sparktuner.records import TrialDocument

UNKNOWN = "host not known (yet)"


@dataclass(frozen=True)
class Bar:
    """A time in which a trial took a slot.

    Attributes:
        row: the trial's position.
        host: where it ran.
        begin: seconds since the first trial began.
        end: likewise; that of a trial that runs is the latest time known.
        kind: how the trial ended, or ``retried``: an attempt after which it was tried again.
        lane: the slot, counted over all hosts.
    """

    row: int
    host: str
    begin: float
    end: float
    kind: str
    lane: int = 0


@dataclass(frozen=True)
class Lanes:
    """The slots of a search, and what ran in them.

    Attributes:
        bars: the times in which trials ran.
        hosts: of each lane, the host.
        most: how many trials ran at one time, at most.
        seconds: from the first trial's beginning to the last one's end.
    """

    bars: tuple[Bar, ...]
    hosts: tuple[str, ...]
    most: int
    seconds: float

    @property
    def busy(self) -> float:
        """The share of their time in which slots had a trial, for as many as ran at one time."""
        total = self.seconds * self.most
        return sum(bar.end - bar.begin for bar in self.bars) / total if total else 0.0


def lanes_of(data: SeenTrials) -> Lanes:
    """Returns the slots of a search.

    Documents name the host but not the slot: on each host a trial takes the first lane that is
    free, so that there are as many lanes as trials that ran at one time.
    """
    spans = _spans(data)
    if not spans:
        return Lanes((), (), 0, 0.0)
    first = min(begin for _, _, begin, _, _ in spans)
    hosts: dict[str, list[Bar]] = {}
    for row, host, begin, end, kind in sorted(spans, key=lambda span: span[2]):
        since, until = (begin - first).total_seconds(), (end - first).total_seconds()
        hosts.setdefault(host, []).append(Bar(row, host, since, max(since, until), kind))
    bars: list[Bar] = []
    names: list[str] = []
    for host in sorted(hosts):
        placed, n = _placed(hosts[host], len(names))
        bars += placed
        names += [host] * n
    # Over all hosts: a trial that runs is on one of them, but which one is not known yet.
    _, most = _placed(sorted(bars, key=lambda bar: bar.begin), 0)
    return Lanes(tuple(bars), tuple(names), most, max(bar.end for bar in bars))


_Span = tuple[int, str, datetime, datetime, str]


def _spans(data: SeenTrials) -> list[_Span]:
    starts, ends = data.table["start"].values, data.table["end"].values
    hosts = data.table["host"].values
    known = [t for t in (*starts, *ends) if isinstance(t, datetime)]
    latest = max(known, default=None)
    only = _only_host(data.documents)
    spans: list[_Span] = []
    for row, (start, end, host) in enumerate(zip(starts, ends, hosts, strict=True)):
        if not isinstance(start, datetime):
            continue
        until = end if isinstance(end, datetime) else latest
        assert until is not None  # there is a start at least
        name = only or (str(host) if host else UNKNOWN)
        spans.append((row, name, start, until, str(data.ends[row])))
        spans += _earlier(row, start, data.documents[row], only)
    return spans


def _only_host(documents: Sequence[TrialDocument]) -> str | None:
    """The host of all trials, where there is no other: in local mode, and without Spark.

    There Spark calls it 127.0.0.1 when a worker dies, and of a trial that was cancelled no
    worker tells where it was.
    """
    executions = [document["misc"].get("execution", {}) for document in documents]
    known = {(each["executor"], each.get("host")) for each in executions if each.get("executor")}
    if len(known) != 1:
        return None
    executor, host = known.pop()
    return str(host) if executor == "driver" else None


def _earlier(row: int, start: datetime, document: TrialDocument, only: str | None) -> list[_Span]:
    # Of an attempt that came to nothing only its length is known: it ended before the next.
    attempts: Sequence[dict[str, object]] = (
        document["misc"].get("execution", {}).get("earlier", ())
    )
    spans: list[_Span] = []
    for attempt in reversed(attempts):
        seconds = attempt.get("duration")
        if isinstance(seconds, int | float) and seconds >= 0:
            begin = start - timedelta(seconds=float(seconds))
            host = only or str(attempt.get("host") or UNKNOWN)
            spans.append((row, host, begin, start, "retried"))
            start = begin
    return spans


def _placed(bars: Sequence[Bar], first: int) -> tuple[list[Bar], int]:
    """Bars of one host, by their beginnings, each in the lowest lane that is free."""
    free: list[int] = []
    taken: list[tuple[float, int]] = []
    n, placed = 0, []
    for bar in bars:
        # Clocks are read to the millisecond: what meets within one does not overlap.
        while taken and taken[0][0] <= bar.begin + 2e-3:
            heappush(free, heappop(taken)[1])
        if free:
            lane = heappop(free)
        else:
            lane, n = n, n + 1
        heappush(taken, (bar.end, lane))
        placed.append(Bar(bar.row, bar.host, bar.begin, bar.end, bar.kind, first + lane))
    return placed, n
