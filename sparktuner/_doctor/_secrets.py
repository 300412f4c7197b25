"""What is never said: passwords and tokens, also where a library repeats them in an error."""

from __future__ import annotations

import re
from urllib.parse import unquote

from sparktuner.stores import shown

_PASSWORD = re.compile(r"^[^:/]+://[^:/@?#]*:(.*)@", re.DOTALL)
# As the addresses of Spark Connect and the settings of databases have them.
_NAMED = re.compile(r"(?i)\b(\w*(?:token|password|passwd|secret))=[^\s;&,'\"]+")


def without_secrets(text: str, url: str = "") -> str:
    """Returns a text without the secrets of a URL, and without what is named a secret in it."""
    if url:
        text = text.replace(url, shown(url))
    for secret in _secrets_of(url):
        text = text.replace(secret, "***")
    return _NAMED.sub(r"\1=***", text)


def _secrets_of(url: str) -> list[str]:
    secrets = [match[1] for match in [_PASSWORD.match(url)] if match]
    for pair in url.partition("?")[2].split("&"):
        if shown(f"x://y?{pair}") != f"x://y?{pair}":
            secrets.append(pair.partition("=")[2])
    # As it is written, and as it is meant; the longer one first.
    both = {*secrets, *map(unquote, secrets)} - {"", "***"}
    return sorted(both, key=len, reverse=True)
