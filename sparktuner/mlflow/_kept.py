"""What a tracking server could not be told, in a file that is sent to it later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sparktuner.errors import StoreError
from sparktuner.mlflow._checks import check_file, check_name
from sparktuner.mlflow._entries import PARENT, Entry
from sparktuner.mlflow._tracking import Target, Tracking

# As of results that a store could not take.
_VARIABLE = "SPARKTUNER_SPILL_DIR"
_FORM = "sparktuner mlflow 1"


def kept_path(search_id: str) -> Path:
    """Returns where the entries of a search are kept that could not be written."""
    folder = os.environ.get(_VARIABLE) or Path.home() / ".local" / "state" / "sparktuner"
    return Path(folder) / f"mlflow-{search_id[:16]}.jsonl"


def keep(path: Path, target: Target, runs: Mapping[str, str], entries: Iterable[Entry]) -> None:
    """Writes a file of entries: a line that says where they go, and a line for each.

    Args:
        path: the file; what it held before stays in it.
        target: where they go.
        runs: the runs that are known: an entry's run -> MLflow's id.
        entries: what is to be written.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier: Iterable[Entry] = ()
    if path.exists():
        _, known, earlier = read(path)
        runs = {**known, **runs}
    harmless = replace(target, uri=without_password(target.uri))
    header = {"form": _FORM, "target": asdict(harmless), "runs": dict(runs)}
    fresh = path.with_suffix(f".{os.getpid()}")
    lines = [json.dumps(header), *(entry.dumps() for entry in merged([*earlier, *entries]))]
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fresh.replace(path)


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """Returns entries with those of one run made one, the parent's first."""
    by_run: dict[str, Entry] = {PARENT: Entry()}
    for entry in entries:
        known = by_run.get(entry.run)
        by_run[entry.run] = entry if known is None else known.merged(entry)
    if by_run[PARENT] == Entry():
        del by_run[PARENT]
    return list(by_run.values())


def read(path: Path) -> tuple[Target, dict[str, str], list[Entry]]:
    """Returns what :func:`keep` wrote: where it goes, the known runs, and the entries.

    Raises:
        OSError: the file cannot be read.
        StoreError: it holds something else.
    """
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        said = json.loads(header)
        if said["form"] != _FORM:
            raise ValueError
        entries = [Entry.of(json.loads(line)) for line in lines]
        return Target(**said["target"]), dict(said["runs"]), entries
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"{path} is no file of what MLflow could not be told, as a search keeps it"
        ) from error


def replay(path: str | os.PathLike[str], tracking_uri: str | None = None) -> int:
    """Sends what a search could not write to its tracking server, and removes the file.

    Args:
        path: the file that the search's warning named.
        tracking_uri: the server; None is the one of the search. The file holds no password, so
            it is read from where MLflow looks for it (``MLFLOW_TRACKING_USERNAME`` and the
            like), unless it is in this address.

    Returns:
        How many runs were written to.

    Raises:
        OSError: the file cannot be read.
        StoreError: it holds something else.
        TypeError, ValueError: an argument is ill-formed.
        MissingExtra: mlflow is not installed.
        Exception: whatever MLflow raises. What is not written yet is still in the file.

    Example:
        >>> from sparktuner.mlflow import replay
        >>> replay("mlflow-4f2a9c0d1e7b6a35.jsonl", tracking_uri="http://host:5000")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: 'mlflow-4f2a9c0d1e7b6a35.jsonl'
    """
    check_file("path", path)
    check_name("tracking_uri", tracking_uri)
    file = Path(path)
    target, runs, entries = read(file)
    here = target if tracking_uri is None else replace(target, uri=tracking_uri)
    # It is not known whether what was asked for last was done.
    tracking = Tracking(here, runs)
    tracking.expect(entry.run for entry in entries)
    waiting = {number: entry for number, entry in enumerate(_in_order(entries))}
    try:
        for number, entry in list(waiting.items()):
            left: Entry | None = entry
            while left is not None:
                left = tracking.send(left)
                if left is not None:
                    waiting[number] = left
            del waiting[number]
    except BaseException:
        file.unlink()
        keep(file, target, tracking.runs, waiting.values())
        raise
    file.unlink()
    return len(entries)


def _in_order(entries: list[Entry]) -> list[Entry]:
    """Entries of several runs so that each is there when another one names it."""
    if not entries or entries[0].run != PARENT:
        return entries
    first, last = entries[0].split()
    return [each for each in [first, *entries[1:], last] if each != Entry()]


def without_password(uri: str) -> str:
    """Returns an address without the user and the password that may be in it."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
