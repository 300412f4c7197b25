"""Plots: arguments that are wrong."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from sparktuner import Trials, plotting
from tests.mistakes.judge import Argument

NUMBERS = "7 0.5 1e308"
TRUTH = {"either": "True None 7 -1 0 huge_int bool_"}
LABELS = {"all": "None", "no labels": "empty_list"}
# All refuse the same as trials, and most as axes.
ONE = ("plot_history", "plot_timeline", "plot_importance", "plot_parallel", "plot_contour")
MANY = ("plot_slice",)
VARIABLES = {
    "fontsize": {"a size": NUMBERS},
    "colorize_best": {"none": "None", "a number": "0 7 1e308 huge_int"},
    "columns": {"a number": "7 1e308 huge_int"},
    "arrange_by_loss": TRUTH,
}
ATTACHMENT = {
    "colorize_by_loss": TRUTH,
    "max_darkness": {"a share": "0 0.5"},
    "num_trails": {"all": "None", "a number": "7 1e308 huge_int"},
    "preprocessing_fn": {"is called": "builtin node"},
    "line_width": {"a width": NUMBERS},
}
COLOURS = {"ours": "None empty_dict", "of no trial's status": "dict dict_of_numbers"}
TITLE = {"a title": "text empty_text digits surrogate"}


def _drawn(name: str, argument: str) -> Callable[[object], object]:
    more = ["curve"] if name == "main_plot_1D_attachment" else []
    shown = {"do_show": False} if name.startswith("main") else {}

    def draw(value: object) -> object:
        if argument in ("trials", "searches"):
            return getattr(plotting, name)(value, *more, **shown)
        return getattr(plotting, name)(Trials(), *more, **shown | {argument: value})

    return draw


def _arguments() -> list[Argument]:
    given: dict[str, dict[str, dict[str, str]]] = {
        **{name: {"trials": {}, "ax": {"a new figure": "None"}} for name in ONE},
        **{name: {"trials": {}, "axes": {"a new figure": "None"}} for name in MANY},
        "importances": {"trials": {}},
        "plot_edf": {"searches": {"no searches": "empty_list empty_dict"}},
        "main_plot_history": {"trials": {}, "status_colors": COLOURS},
        "main_plot_histogram": {"trials": {}, "title": TITLE},
        "main_plot_vars": {"trials": {}, **VARIABLES},
        "main_plot_1D_attachment": {"trials": {}, **ATTACHMENT},
    }
    for name in ("plot_slice", "plot_parallel"):
        given[name]["labels"] = LABELS
    given["plot_contour"]["labels"] = {"the two that matter most": "None"}
    return [
        Argument(f"{name}({argument})", _drawn(name, argument), (argument,), accepts)
        for name, arguments in given.items()
        for argument, accepts in arguments.items()
    ]


PLOTS = _arguments() if importlib.util.find_spec("matplotlib") else []
