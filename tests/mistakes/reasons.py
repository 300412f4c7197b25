"""Why some values are no mistakes, for arguments of one kind."""

from __future__ import annotations

# As programs for Hyperopt write `verbose=1`, and some `verbose=None`.
FLAGS = {"true or false, by a number too": "None True -1 0 7 huge_int bool_"}
SEEDS = {"a seed": "0 7 huge_int", "fresh entropy": "None"}
DICTS = {"a dictionary; what it does not name is left as it is": "empty_dict dict dict_of_numbers"}
FILLED = {"a dictionary that can be written to": "empty_dict dict dict_of_numbers !read_only"}
NUMBERS = {"a number": "-1 0 7 0.5 1e308"}
SECONDS = {"no limit": "None inf", "seconds": "7 0.5 1e308"}
