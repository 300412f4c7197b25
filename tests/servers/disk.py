"""A disk so small that it is soon full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str, *unmounting: str) -> Iterator[Path]:
    """Mounts one; the test is skipped where that is not allowed.

    Args:
        folder: where; it is made.
        size: as ``mount`` takes it, such as ``"400k"``.
        unmounting: further options of ``umount``.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", *unmounting, folder], check=True)
