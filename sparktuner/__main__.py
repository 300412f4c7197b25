"""``python -m sparktuner``, and the script that ``spark-submit`` can run: the commands."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # A script's folder comes first on the path; sklearn and mlflow would be ours there.
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent]

    from sparktuner.cli import main

    sys.exit(main())
