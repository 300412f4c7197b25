"""URLs of stores: what may be shown of one, and the options that are ours in its query."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_SECRET = re.compile(r"(?i)pass|secret|token|key|credential|sig")


def shown(url: str) -> str:
    """Returns a URL without its password, and without values of its query that may be secret."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if at:
        user = user.partition(":")[0] + (":***" if ":" in user else "")
    pairs = [pair.partition("=") for pair in parts.query.split("&") if pair]
    query = "&".join(
        f"{key}=***" if _SECRET.search(key) else f"{key}{equals}{value}"
        for key, equals, value in pairs
    )
    # Not urlunsplit's own rule for an empty host: sqlite:///x keeps its slashes.
    text = urlunsplit(("", "", parts.path, query, parts.fragment))
    return f"{parts.scheme}://{user}{at}{host}{text}" if "://" in url else url


def split_options(url: str, default_lease: float) -> tuple[str, float]:
    """Returns a URL without the options in its query that are ours, and the lease in seconds.

    Raises:
        ValueError: ``lease`` is no number of seconds above 0.
    """
    base, mark, query = url.partition("?")
    pairs = [pair for pair in query.split("&") if pair]
    leases = [pair.partition("=")[2] for pair in pairs if pair.startswith("lease=")]
    rest = "&".join(pair for pair in pairs if not pair.startswith("lease="))
    try:
        lease = float(leases[-1]) if leases else default_lease
    except ValueError:
        lease = -1.0
    if not 0 < lease < float("inf"):
        raise ValueError(f"lease in {shown(url)} must be a number of seconds above 0")
    return base + (mark + rest if rest else ""), lease
