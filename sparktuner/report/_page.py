"""The page: one HTML text that needs no network, with everything in it."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from importlib.resources import files

from sparktuner.report._data import Plain, dumps

_SCRIPTS = ("format.js", "charts.js", "plots.js", "table.js", "page.js")


def page(data: Mapping[str, Plain], seconds: float | None = None) -> str:
    """Returns the page that shows data.

    Args:
        data: as :func:`report_data` returns it.
        seconds: between two looks for newer data at ``data.json`` beside the page; None never
            looks.
    """
    script = "\n".join(map(_part, _SCRIPTS))
    key = data.get("exp_key")
    title = "Search" if key is None else f"Search {key}"
    # Whatever finds its way into the page, no script but this one runs.
    policy = (
        f"default-src 'none'; script-src 'sha256-{_digest(script)}'; style-src 'unsafe-inline'; "
        f"img-src data:; connect-src '{'none' if seconds is None else 'self'}'; "
        "base-uri 'none'; form-action 'none'"
    )
    live = "" if seconds is None else f' data-seconds="{seconds:g}"'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{_part('page.css')}</style>\n</head>\n"
        f"<body{live}>\n{_part('page.html')}"
        f'<script type="application/json" id="data">{dumps(data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _part(name: str) -> str:
    return files("sparktuner.report").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
