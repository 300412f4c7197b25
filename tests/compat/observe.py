"""Run a program and print, as JSON, what it observed: ``python observe.py program.py``.

Needs nothing but the library that the program imports, so that it runs beside the incumbent.
"""

import json
import numbers
import runpy
import sys
import warnings


def shape(value):
    """The types that a value is made of; numbers are numbers, whatever their width."""
    if value is None or isinstance(value, str):
        return "None" if value is None else "str"
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "bool"
    if isinstance(value, numbers.Number) or getattr(value, "shape", None) == ():
        return "number"
    if isinstance(value, dict):
        return {str(key): shape(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        kinds = {json.dumps(shape(item), sort_keys=True) for item in value}
        return [type(value).__name__, *sorted(kinds)]
    return type(value).__name__


def observe(path):
    """What the program at ``path`` left in ``observed``, and the shapes of ``shapes``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # As a script: what it defines is pickled by value.
        names = runpy.run_path(str(path), run_name="__main__")
    seen = {key: shape(value) for key, value in names["shapes"].items()}
    return json.loads(json.dumps({"observed": names["observed"], "shapes": seen}, default=plain))


def plain(value):
    """numpy's scalars as Python's; anything else has no place in ``observed``."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"observed must hold JSON, not {value!r}")


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(observe(sys.argv[1])) + "\n")
