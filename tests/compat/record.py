"""Write down what hyperopt shows: ``HYPEROPT_PYTHON=... python -m tests.compat.record``.

Programs on Spark keep their entries, which are written by hand.
"""

from __future__ import annotations

import json

from tests.compat.test_programs import EXPECTED, HERE, ON_SPARK, PROGRAMS, with_hyperopt


def main() -> None:
    """Ask hyperopt, and rewrite ``expected.json``."""
    seen = {p.stem: with_hyperopt(p) for p in PROGRAMS if p.stem not in ON_SPARK}
    kept = {name: EXPECTED[name] for name in sorted(ON_SPARK)}
    text = json.dumps({**seen, **kept}, indent=1, sort_keys=True)
    (HERE / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
