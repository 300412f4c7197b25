"""Short names for the options of choices, for people."""

from __future__ import annotations

import re

# 'kind': 'svm', of an option that is a dictionary, and the beginning of one that is a list.
_FIELD = re.compile(r"'([^'\\]+)': ('[^'\\]*'|-?[\d.]+|True|False|None)(?=[,}])")
_HEAD = re.compile(r"[\[(]('[^'\\]*'|-?[\d.]+|True|False|None)[,)\]]")


def option_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Returns short names for the options of a choice.

    Options that are dictionaries or lists are told apart by a field that each has, where there
    is one.

    Example:
        >>> option_names(("{'kind': 'svm', 'C': <C>}", "{'kind': 'forest'}"))
        ('svm', 'forest')
    """
    fields = [dict(_FIELD.findall(text)) if text.startswith("{") else {} for text in texts]
    for key in fields[0] if fields else ():
        names = tuple(field.get(key, "").strip("'") for field in fields)
        if len(set(names)) == len(names) and all(names):
            return names
    heads = [_HEAD.match(text) for text in texts]
    first = tuple(
        head[1].strip("'") if head else text for head, text in zip(heads, texts, strict=True)
    )
    return first if len(set(first)) == len(first) else texts
