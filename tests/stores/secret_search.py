"""Searches on Spark with the stores whose URLs are the lines of standard input.

``python -m tests.stores.secret_search FOLDER`` leaves in the folder all that anybody may see of
them: logs, Spark's event log and what its UI answers, documents, attachments, pickles, errors.
The first URL is PostgreSQL's, with which it also tries a wrong password and a server that is gone.
"""

from __future__ import annotations

import json
import logging
import pickle
import sys
import traceback
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cloudpickle
from pyspark.sql import SparkSession

from sparktuner import SparkTrials, fmin, hp
from sparktuner.errors import SparktunerError


def objective(x: float) -> dict[str, Any]:
    return {"loss": x, "status": "ok", "attachments": {"note": b"of the trial"}}


def failing(x: float) -> float:
    raise ValueError("on purpose")


def search(url: str, folder: Path) -> None:
    trials = SparkTrials(2, store=url, exp_key="secrets")
    fmin(objective, hp.uniform("x", 0, 1), max_evals=2, trials=trials, rstate=0, verbose=False)
    fmin(
        failing,
        hp.uniform("x", 0, 1),
        max_evals=4,
        trials=trials,
        rstate=0,
        verbose=False,
        catch_eval_exceptions=True,
    )
    store = trials.store
    kept = {name: store.attachments.read_bytes(name) for name in store.attachments.names()}
    folder.mkdir()
    (folder / "shown").write_text(f"{trials!r}\n{store!r}\n{store.location}\n{vars(trials)}")
    (folder / "documents").write_text(f"{trials.all_trials}\n{kept}")
    (folder / "trials.pickle").write_bytes(pickle.dumps(trials))
    (folder / "objective.pickle").write_bytes(cloudpickle.dumps(lambda x: len(trials)))


def refused(url: str, file: Path) -> None:
    try:
        SparkTrials(2, store=url)
    except SparktunerError as error:
        logging.getLogger("a user's").exception("no store")
        told = "".join(traceback.format_exception(error))
        chain = [error, error.__cause__, error.__context__]
        file.write_text(told + "".join(f"{each!r} {vars(each)}" for each in chain if each))
    else:
        raise AssertionError("a wrong URL was accepted")


def ask_ui(session: Any, folder: Path) -> None:
    base = f"{session.sparkContext.uiWebUrl}/api/v1/applications"
    with urllib.request.urlopen(base) as answer:
        application = json.load(answer)[0]["id"]
    for page in ("environment", "jobs", "stages", "executors"):
        with urllib.request.urlopen(f"{base}/{application}/{page}") as answer:
            (folder / f"ui-{page}").write_bytes(answer.read())


def main() -> None:
    folder = Path(sys.argv[1])
    urls = sys.stdin.read().split()
    logging.basicConfig(filename=folder / "python.log", level=logging.DEBUG)
    (folder / "events").mkdir()
    settings = {
        "spark.ui.enabled": "true",
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    for number, url in enumerate(urls):
        search(url, folder / f"store-{number}")
    server, port = urls[0], urlsplit(urls[0]).port
    refused(server.replace("@", "-wrong@"), folder / "wrong-password")
    refused(server.replace(f":{port}/", ":1/"), folder / "gone")
    ask_ui(session, folder)
    session.stop()


if __name__ == "__main__":
    main()
