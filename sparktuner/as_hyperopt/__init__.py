"""Sparktuner under Hyperopt's name, for programs and libraries that cannot be changed.

:func:`sparktuner.as_hyperopt` in a program; for a script
``python -m sparktuner.as_hyperopt script.py ...``, or ``-m module`` in the script's place.
"""

from sparktuner.as_hyperopt._alias import as_hyperopt

__all__ = ["as_hyperopt"]
