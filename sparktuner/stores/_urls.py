"""URLs of stores: what may be shown of one, and the options that are ours in its query."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"^([^:/]+://[^:/@?#]*):.*@", re.DOTALL)
_SECRET = re.compile(r"(?i)pass|secret|token|key|credential|sig")


def shown(url: str) -> str:
    """Returns a URL without its password, and without values of its query that may be secret."""
    if "://" not in url:
        return url
    # To the last @: a password may hold one, or a slash, that should have been encoded.
    base, mark, query = _PASSWORD.sub(r"\1:***@", url).partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    query = "&".join(
        f"{key}=***" if _SECRET.search(key) else f"{key}{equals}{value}"
        for key, equals, value in pairs
    )
    return f"{base}{mark if query else ''}{query}"


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


def without_secrets(url: str) -> str:
    """Returns a URL without its password, and without options of its query that may be secret."""
    base, mark, query = url.partition("?")
    scheme, slashes, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    user = user.partition(":")[0]
    pairs = [pair for pair in query.split("&") if not _SECRET.search(pair.partition("=")[0])]
    return f"{scheme}{slashes}{user}{at}{host}{slash}{path}" + (
        mark + "&".join(pairs) if pairs else ""
    )
