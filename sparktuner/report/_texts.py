"""Long texts on the page: tracebacks, kept small, and parameters to copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# All tracebacks together: a page of 10,000 failures shall still open.
_MOST_TOGETHER = 4_000_000
_LONGEST = 20_000


def kept_texts(texts: Sequence[object]) -> tuple[list[str], list[int | None]]:
    """Returns different texts once each, and for each text given its place among them.

    Of a text that is very long its beginning and its end are kept; of those that come when
    4,000,000 characters are there, the last line.

    Args:
        texts: None where there is none.
    """
    places: dict[str, int] = {}
    kept: list[str] = []
    size = 0
    found: list[int | None] = []
    for text in texts:
        if text is None:
            found.append(None)
            continue
        short = _cut(str(text))
        if short not in places and size + len(short) > _MOST_TOGETHER:
            short = f"… (left out)\n{_cut(short.strip().rpartition(chr(10))[2], 300)}"
        if short not in places:
            places[short] = len(kept)
            kept.append(short)
            size += len(short)
        found.append(places[short])
    return kept, found


def pythonic(configuration: Mapping[str, object]) -> str:
    """Returns a configuration as Python that one can paste.

    Args:
        configuration: values by label, a choice's is the number of its option.
    """
    lines = [f"    {label!r}: {value!r},\n" for label, value in configuration.items()]
    return (
        f"best = {{\n{''.join(lines)}}}\n"
        "# Of a choice this is the number of its option; what the objective received is\n"
        "# sparktuner.space_eval(space, best)\n"
    )


def _cut(text: str, most: int = _LONGEST) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… ({len(text) - 2 * half:,} characters left out)\n{text[-half:]}"
