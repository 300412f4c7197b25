"""The picture of a search space."""

from __future__ import annotations

import re

from sparktuner import hp
from sparktuner.graph_viz import dot_hyperparameters


def test_choices_point_at_the_parameters_of_their_options() -> None:
    space = {
        "u": hp.uniform("u", 0, 1),
        "c": hp.choice("c", ["a", {"z": hp.normal("z", 0, 1), "n": hp.randint("n", 9)}]),
    }
    assert dot_hyperparameters(space).splitlines() == [
        "digraph {",
        '  p0 [shape=box, label="u", tooltip="hp.uniform(\'u\', 0, 1)"];',
        '  p1 [shape=box, label="c", tooltip="hp.choice(\'c\', range(2))"];',
        '  p2 [shape=box, label="z", tooltip="hp.normal(\'z\', 0, 1)"];',
        '  p3 [shape=box, label="n", tooltip="hp.randint(\'n\', 9)"];',
        '  p1v1 [shape=ellipse, label="c=1"];',
        "  p1 -> p1v1;",
        "  p1v1 -> p2;",
        "  p1v1 -> p3;",
        "}",
    ]


def edges(space: object) -> list[str]:
    """The arrows between names, in which a parameter is its label and a value ``label=value``."""
    text = dot_hyperparameters(space)
    names = dict(re.findall(r'^  (\w+) \[shape=\w+, label="(.*?)"', text, re.MULTILINE))
    arrows = re.findall(r"^  (\w+) -> (\w+);$", text, re.MULTILINE)
    # Each name is declared once, each arrow is there once, and nothing else is.
    assert len(text.splitlines()) == 2 + len(names) + len(arrows)
    assert len(set(arrows)) == len(arrows)
    return [f"{names[tail]} -> {names[head]}" for tail, head in arrows]


def test_choices_in_choices_hang_below_their_options() -> None:
    inner = hp.choice("inner", ["none", {"depth": hp.randint("depth", 3)}])
    outer = hp.choice("outer", ["linear", {"inner": inner, "rate": hp.uniform("rate", 0, 1)}])
    assert sorted(edges({"outer": outer})) == [
        "inner -> inner=1",
        "inner=1 -> depth",
        "outer -> outer=1",
        "outer=1 -> inner",
        "outer=1 -> rate",
    ]


def test_a_parameter_of_several_options_hangs_below_each_of_them() -> None:
    rate = hp.uniform("rate", 0, 1)
    space = hp.choice("model", [{"rate": rate}, {"rate": rate * 2}, "none"])
    assert sorted(edges(space)) == [
        "model -> model=0",
        "model -> model=1",
        "model=0 -> rate",
        "model=1 -> rate",
    ]


def test_a_parameter_of_all_options_is_always_active_and_hangs_nowhere() -> None:
    rate = hp.uniform("rate", 0, 1)
    assert edges(hp.choice("model", [{"rate": rate}, [rate]])) == []


def test_labels_are_quoted() -> None:
    assert 'label="a \\"b\\" \\\\ \\n"' in dot_hyperparameters(hp.uniform('a "b" \\ \n', 0, 1))


def test_no_label_ends_the_text_that_it_stands_in() -> None:
    text = dot_hyperparameters(hp.randint('"]; evil [label="', 3))
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert "evil" in text and "evil" not in outside


def test_a_constant_is_an_empty_graph() -> None:
    assert dot_hyperparameters({"a": 1}) == "digraph {\n}\n"
