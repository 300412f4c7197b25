"""Whether there is a Java that Spark runs on, asked before Spark is launched and fails over it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import NamedTuple

from sparktuner.errors import SparkUnavailable

_SECONDS_TO_ANSWER = 60
_INSTALL = (
    "Install one (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless; macOS: brew install "
    "openjdk@17; conda: conda install -c conda-forge openjdk=17; others: https://adoptium.net) "
    "and set JAVA_HOME to it if another one comes first."
)


class JavaRange(NamedTuple):
    """The range of Java versions that a Spark release runs on.

    Attributes:
        text: for people.
        oldest: below this it does not start.
        newest: above this it does not start; None where no such version is known.
    """

    text: str
    oldest: int
    newest: int | None


def java_range(spark: tuple[int, int]) -> JavaRange:
    """Returns the Java versions that a Spark of this (major, minor) runs on, by its documentation.

    Hadoop's client needed the security manager, which Java 24 removed, up to Spark 4.0.
    """
    if spark < (4, 0):
        return JavaRange("8, 11, 17 or 21", 8, 23)
    if spark < (4, 1):
        return JavaRange("17 or 21", 17, 23)
    if spark < (4, 2):
        return JavaRange("17 or 21", 17, None)
    return JavaRange("17, 21 or 25", 17, None)


def check_java(spark_version: str) -> str:
    """Returns the Java which Spark's scripts would take, in words, after it was found to serve.

    Args:
        spark_version: of the pyspark that is about to launch a JVM, e.g. ``"4.3.0"``.

    Raises:
        SparkUnavailable: there is none, or it is too old or too new; says which ones serve
            and how to install one.
    """
    major, minor = (int(part) for part in spark_version.split(".")[:2])
    serves = java_range((major, minor))
    wanted = f"pyspark {spark_version} needs Java {serves.text}"
    java = _find_java()
    if java is None:
        raise SparkUnavailable(f"Java was not found, and {wanted}. {_INSTALL}")
    found = _java_version(java)
    if found is None:
        raise SparkUnavailable(f"{java} does not run, and {wanted}. {_INSTALL}")
    if found < serves.oldest or (serves.newest is not None and found > serves.newest):
        raise SparkUnavailable(f"{java} is Java {found}, but {wanted}. {_INSTALL}")
    return f"{found} at {java}"


def _find_java() -> str | None:
    """Spark's own rule: JAVA_HOME where it is set, else the path."""
    home = os.environ.get("JAVA_HOME")
    if home:
        return os.path.join(home, "bin", "java")
    return shutil.which("java")


def _java_version(java: str) -> int | None:
    try:
        answer = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_ANSWER,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    # java prints it on stderr; a wrapper script need not.
    return parse_java_version(answer.stderr + answer.stdout)


def parse_java_version(text: str) -> int | None:
    """Returns the major version in what ``java -version`` printed: 8 for "1.8.0_392".

    None where the text holds no version.
    """
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None
