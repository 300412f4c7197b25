"""The README's examples run, and what it promises is there."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparktuner import errors

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


class Block(NamedTuple):
    """A fenced block of the README."""

    heading: str
    language: str
    code: str
    line: int


def fenced_blocks() -> list[Block]:
    blocks: list[Block] = []
    heading = language = ""
    code: list[str] = []
    start = 0
    for number, line in enumerate(README.splitlines(), 1):
        if line.startswith("```"):
            if language:
                blocks.append(Block(heading, language, "\n".join(code) + "\n", start))
                language, code = "", []
            else:
                language, start = line.removeprefix("```") or "text", number
        elif language:
            code.append(line)
        elif line.startswith("## "):
            heading = line.removeprefix("## ")
    return blocks


BLOCKS = fenced_blocks()
PYTHON = [block for block in BLOCKS if block.language == "python"]


def test_there_are_python_examples() -> None:
    assert len(PYTHON) >= 6


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.heading)
def test_an_example_runs(
    block: Block, local_spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # `spark` is the platform's in notebooks. The name "__main__" lets functions travel by value.
    namespace: dict[str, Any] = {"__name__": "__main__", "spark": local_spark}
    # Blank lines before it, so that a traceback shows the README's line.
    source = "\n" * block.line + block.code
    exec(compile(source, str(ROOT / "README.md"), "exec"), namespace)
    for name, value in list(namespace.items()):
        if name.startswith("test_"):
            value(local_spark)


def test_the_first_example_has_fifteen_lines() -> None:
    [first] = [block for block in PYTHON if block.heading == "An example"]
    assert len([line for line in first.code.splitlines() if line]) <= 15


def test_ci_runs_the_readmes_two_commands_word_for_word() -> None:
    commands = [
        block.code.strip()
        for block in BLOCKS
        if block.heading == "Two commands" and block.language == "sh"
    ]
    assert len(commands) == 2
    steps = [part for command in commands for part in command.split(" && ")]
    script = (ROOT / ".ci" / "run").read_text()
    for step in steps:
        assert re.search(rf"(^|[ \t]){re.escape(step)}($|[ ;])", script, re.MULTILINE), step


def test_every_error_that_the_readme_names_exists() -> None:
    section = README.split("## What goes wrong")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| ")][2:]
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row[2])]
    assert len(names) > 10
    for name in names:
        assert hasattr(errors, name) or hasattr(builtins, name), name


def test_links_to_files_lead_somewhere() -> None:
    linked = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    named = re.findall(r"`((?:notebooks|conf|\.ci)/[\w./]*)`", README)
    assert linked
    for path in [*linked, *named]:
        assert (ROOT / path).exists(), path
