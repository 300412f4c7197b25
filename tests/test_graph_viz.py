"""The picture of a search space."""

from __future__ import annotations

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


def test_labels_are_quoted() -> None:
    assert 'label="a \\"b\\" \\\\ \\n"' in dot_hyperparameters(hp.uniform('a "b" \\ \n', 0, 1))


def test_a_constant_is_an_empty_graph() -> None:
    assert dot_hyperparameters({"a": 1}) == "digraph {\n}\n"
