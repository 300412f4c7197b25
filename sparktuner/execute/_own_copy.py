"""A configuration that belongs to one trial alone."""

from __future__ import annotations

import copy


def own_copy(value: object) -> object:
    """Returns a copy of a configuration, as pickling it on the way to a worker would make one.

    Options of a space are objects of the user's, such as an estimator, that all trials share:
    fitting one in place would change it for the others. What cannot be copied is shared.
    """
    # Containers by hand, so that one part that cannot be copied costs no other its copy.
    if type(value) is dict:
        return {key: own_copy(part) for key, part in value.items()}
    if type(value) is tuple:
        return tuple(own_copy(part) for part in value)
    try:
        return copy.deepcopy(value)
    except Exception:  # whatever __deepcopy__ raises; locks, generators, open files
        return value
