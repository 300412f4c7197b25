"""The examples of the README and of the guide run, and what the pages promise is there."""

from __future__ import annotations

import builtins
import functools
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparktuner import errors

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "notebooks"
README = ROOT / "README.md"
PAGES = [README, *sorted(GUIDE.glob("*.md"))]


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    heading: str
    language: str
    code: str
    line: int

    @property
    def name(self) -> str:
        """Where the block stands, to be read in a list of tests."""
        return f"{self.page.relative_to(ROOT)}, line {self.line}: {self.heading}"


def fenced_blocks(page: Path) -> Iterator[Block]:
    """Yields the fenced blocks of a page, in order."""
    heading = language = ""
    code: list[str] = []
    start = 0
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            if language:
                yield Block(page, heading, language, "\n".join(code) + "\n", start)
                language, code = "", []
            else:
                language, start = line.removeprefix("```") or "text", number
        elif language:
            code.append(line)
        elif line.startswith("## "):
            heading = line.removeprefix("## ")


@functools.cache
def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@functools.cache
def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may name, made as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


BLOCKS = [block for page in PAGES for block in fenced_blocks(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def each_page(test: Any) -> Any:
    """Runs a test once for each page."""
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))(
        test
    )


def test_there_are_python_examples() -> None:
    assert len(PYTHON) >= 15


@pytest.fixture
def log_level() -> Iterator[None]:
    """Lets an example set the log's level for itself alone."""
    log = logging.getLogger("sparktuner")
    before = log.level
    yield
    log.setLevel(before)


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.name)
def test_an_example_runs(
    block: Block,
    local_spark: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log_level: None,
) -> None:
    for package in ("optuna", "matplotlib", "mlflow"):
        if re.search(rf"(import |sparktuner\.){package}\b", block.code):
            pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    # `spark` is the platform's in notebooks. The name "__main__" lets functions travel by value.
    namespace: dict[str, Any] = {"__name__": "__main__", "spark": local_spark}
    # Blank lines before it, so that a traceback shows the page's line.
    source = "\n" * block.line + block.code
    exec(compile(source, str(block.page), "exec"), namespace)
    for name, value in list(namespace.items()):
        if name.startswith("test_"):
            value(local_spark)


def test_the_first_example_has_fifteen_lines() -> None:
    [first] = [b for b in PYTHON if b.page == README and b.heading == "An example"]
    assert len([line for line in first.code.splitlines() if line]) <= 15


def test_ci_runs_the_readmes_two_commands_word_for_word() -> None:
    commands = [
        block.code.strip()
        for block in BLOCKS
        if block.page == README and block.heading == "Two commands" and block.language == "sh"
    ]
    assert len(commands) == 2
    steps = [part for command in commands for part in command.split(" && ")]
    script = (ROOT / ".ci" / "run").read_text()
    for step in steps:
        assert re.search(rf"(^|[ \t]){re.escape(step)}($|[ ;])", script, re.MULTILINE), step


def test_every_error_that_the_guide_names_exists() -> None:
    lines = (GUIDE / "errors.md").read_text().splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| ")]
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row[2])]
    assert len(names) > 10
    for name in names:
        assert hasattr(errors, name) or hasattr(builtins, name), name


def test_the_readme_is_short_enough_for_a_front_page() -> None:
    assert README.stat().st_size <= 8_000


def test_the_guides_index_names_every_page_once() -> None:
    entries = re.findall(r"^\d+\. \[.+?\]\((.+?)\)", prose(GUIDE / "README.md"), re.MULTILINE)
    pages = [path for path in GUIDE.iterdir() if path.suffix in (".md", ".ipynb")]
    assert sorted(entries) == sorted(path.name for path in pages if path.name != "README.md")


@each_page
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose(page))
    assert links
    for name, anchor in links:
        target = page.parent / name if name else page
        assert target.exists(), name
        if anchor:
            assert anchor in anchors(target), f"{name}#{anchor}"


@each_page
def test_files_and_benchmarks_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text()
    files = re.findall(r"(?<![\w/.])((?:notebooks|conf|\.ci|tests)/[\w./]*)", text)
    files += [
        f"{module.replace('.', '/')}.py" for module in re.findall(r"-m (tests\.[\w.]*\w)", text)
    ]
    for path in files:
        assert (ROOT / path.rstrip(".")).exists(), path
