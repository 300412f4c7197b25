"""The page in a real browser: it says what the trials hold, sorts, filters, and opens quickly."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.report import PageServer, page, report_data, write_report
from tests.plotting.histories import HISTORIES, made, many, mixed

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        made_browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made_browser
        made_browser.close()


class View:
    """A page that was opened, and what it has complained of."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESK, **options})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append("a dialog was opened"))

    def open(self, path: Path) -> Any:
        self.page.goto(path.as_uri())
        return self.page

    def column(self, place: int) -> list[str]:
        cells = self.page.locator(f"#table tbody td:nth-child({place})").all_text_contents()
        return [str(cell) for cell in cells]


@pytest.fixture
def view(browser: Any) -> Iterator[View]:
    view = View(browser)
    yield view
    view.context.close()
    assert not view.complaints


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of trials of all states."""
    path = tmp_path_factory.mktemp("page") / "search.html"
    write_report(mixed(), path)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_no_screen_is_too_narrow_and_grounds_are_the_systems(
    browser: Any, drawn: Path, size: dict[str, int], scheme: str
) -> None:
    view = View(browser, viewport=size, color_scheme=scheme)
    opened = view.open(drawn)
    assert opened.evaluate("document.documentElement.scrollWidth") <= size["width"]
    ground = opened.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    view.context.close()
    assert not view.complaints


@pytest.mark.parametrize("history", HISTORIES)
def test_an_odd_search_is_shown_without_a_complaint(
    view: View, history: str, tmp_path: Path
) -> None:
    trials = HISTORIES[history]()
    write_report(trials, tmp_path / "search.html")
    view.open(tmp_path / "search.html")
    assert len(view.column(1)) == min(50, len(trials.all_trials))


def test_the_table_sorts_by_numbers_with_missing_ones_last(view: View, drawn: Path) -> None:
    opened = view.open(drawn)
    losses = sorted(loss for loss in mixed().losses() if loss is not None)
    opened.get_by_role("button", name="loss", exact=True).click()
    shown = view.column(3)
    assert [float(text) for text in shown] == pytest.approx(losses[:50], rel=1e-5)
    opened.get_by_role("button", name="loss ▲", exact=True).click()
    assert [float(text) for text in view.column(3)] == pytest.approx(losses[:-51:-1], rel=1e-5)
    assert opened.locator("th[aria-sort=descending]").text_content() == "loss ▼"
    opened.get_by_role("button", name="Next").first.click()
    assert view.column(3)[-1] == ""


def test_the_table_filters_by_words_conditions_and_state(view: View, drawn: Path) -> None:
    opened = view.open(drawn)
    opened.fill("#find", "loss<2.5 model=svm")
    data = report_data(mixed(), {"shares": [], "foretold": 0})
    model = next(p for p in data["parameters"] if p["label"] == "model")  # type: ignore
    svm = model["options"].index("svm")  # type: ignore
    wanted = [
        row
        for row, loss in enumerate(data["loss"])  # type: ignore
        if loss is not None and loss < 2.5 and model["values"][row] == svm
    ]
    assert wanted and [int(tid) for tid in view.column(1)] == wanted
    opened.fill("#find", "")
    opened.select_option("#state", "failed")
    assert view.column(1) == ["3", "20"]
    assert opened.text_content("#found") == "2 of 80 trials"
    opened.fill("#find", "nothing like it")
    assert view.column(1) == [] and "no trial" in opened.text_content("#where")


def test_a_trial_is_opened_by_the_keyboard_and_linked_to(view: View, drawn: Path) -> None:
    opened = view.open(drawn)
    opened.locator(".row-link").first.focus()
    opened.keyboard.press("Enter")
    assert opened.text_content("#trial-title") == "Trial 0"
    assert str(mixed().losses()[0]) in opened.text_content("#trial-body")
    opened.keyboard.press("ArrowRight")
    assert opened.text_content("#trial-title") == "Trial 1" and "#trial-1" in opened.url
    opened.keyboard.press("Escape")
    assert not opened.locator("#trial").is_visible() and "#" not in opened.url
    opened.goto(f"{drawn.as_uri()}#trial-7")
    opened.reload()
    assert opened.text_content("#trial-title") == "Trial 7"


def test_a_point_in_a_plot_opens_its_trial(view: View, drawn: Path) -> None:
    opened = view.open(drawn)
    opened.locator("#history").scroll_into_view_if_needed()
    row, x, y = opened.evaluate(
        "(() => { const c = byId('history'), b = c.getBoundingClientRect();"
        " const s = charts.get(c).spots[5]; return [s[2], b.left + s[0], b.top + s[1]]; })()"
    )
    opened.mouse.move(x, y)
    assert opened.text_content("#tip").startswith(f"trial {row},")
    opened.mouse.click(x, y)
    assert opened.text_content("#trial-title") == f"Trial {row}"


def test_points_stand_where_the_losses_are(view: View, drawn: Path) -> None:
    spots = view.open(drawn).evaluate("charts.get(byId('history')).spots")
    losses = mixed().all_trials
    pairs = [(losses[row]["result"].get("loss"), y) for _, y, row, *_ in spots]
    known = np.array([pair for pair in pairs if pair[0] is not None])
    top = report_data(mixed(), {})["history"]["top"]  # type: ignore
    inside = known[known[:, 0] <= (np.inf if top is None else top)]
    slope, at = np.polyfit(inside[:, 0], inside[:, 1], 1)
    assert np.allclose(slope * inside[:, 0] + at, inside[:, 1], atol=1e-6) and slope < 0


def test_nothing_of_the_trials_runs(view: View, tmp_path: Path) -> None:
    trials = made(12, {"x": hp.uniform(EVIL, 0, 1), "c": hp.choice(f"c{EVIL}", [EVIL, "b"])})
    for document in trials.all_trials[:3]:
        document["state"], document["result"] = 3, {EVIL: EVIL}
        document["misc"]["error"] = (EVIL, EVIL)
    write_report(trials, tmp_path / "search.html")
    opened = view.open(tmp_path / "search.html")
    opened.locator(".row-link").first.click()
    assert EVIL in opened.text_content("#trial-body")
    assert opened.locator("img").count() == 0 and opened.locator("script").count() == 2


def test_the_policy_stops_scripts_even_where_text_became_markup(
    browser: Any, tmp_path: Path
) -> None:
    text = page(report_data(made(3))).replace("<header>", f"{EVIL}<header>")
    (tmp_path / "search.html").write_text(text)
    view = View(browser)
    view.open(tmp_path / "search.html").wait_for_timeout(200)
    view.context.close()
    assert "a dialog was opened" not in view.complaints
    assert any("Content Security Policy" in text for text in view.complaints)


def test_ten_thousand_trials_open_within_three_seconds(view: View, tmp_path: Path) -> None:
    write_report(many(), tmp_path / "search.html")
    took = []
    # Other tests run beside this one: the quickest of a few says what the page takes.
    while len(took) < 5 and min(took, default=3.0) >= 3:
        begin = time.monotonic()
        opened = view.open(tmp_path / "search.html")
        opened.evaluate("new Promise(done => requestAnimationFrame(() => done()))")
        assert len(view.column(1)) == 50
        took.append(time.monotonic() - begin)
    assert min(took) < 3


def test_a_live_page_grows_and_keeps_the_filter(view: View) -> None:
    trials = Trials()
    space = hp.uniform("x", -1, 1)
    fmin(abs, space, max_evals=3, trials=trials, rstate=0, verbose=False)
    with PageServer(Trials(store=trials.store), seconds=0.2) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            view.page.goto(server.url)
            view.page.fill("#find", "x>-2")
            fmin(abs, space, max_evals=9, trials=trials, rstate=0, verbose=False)
            playwright.expect(view.page.locator("#table tbody tr")).to_have_count(9)
            assert view.page.input_value("#find") == "x>-2"
            assert view.page.text_content("#status").startswith("Live")
            view.page.goto("about:blank")
        finally:
            server.shutdown()
            thread.join()
