"""The whole suite in several processes, where pytest-xdist is there: most of it waits.

``-n 0`` runs it in one. Tests that are asked for by a path or by ``-k`` are run in one anyway,
as they would be done before the others had started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

# More of them than CI has cores, as they wait for servers, for deadlines and for each other.
PROCESSES = 3
# Begun first, so that nobody waits in the end for the one that is longest.
LONGEST = (
    "tests/faults/test_session_gone.py",
    "tests/faults/test_matrix.py",
    "tests/execute/test_spark_environment.py",
    "tests/test_workers.py",
    "tests/execute/test_preflight.py",
    "tests/test_reproducible.py",
    "tests/suggest/test_repeats.py",
    "tests/mlflow/test_databricks_programs.py",
    "tests/mlflow/test_server.py",
    "tests/mlflow/test_worker_logging.py",
    "tests/test_spark_trials.py",
    "tests/typing/test_typing.py",
    "tests/faults/test_classic_faults.py",
    "tests/execute/test_spark_connect.py",
    "tests/faults/test_store_outages.py",
    "tests/faults/test_crashes.py",
    "tests/faults/test_cancel_latency.py",
    "tests/contracts/test_executor_contract.py",
    "tests/test_readme.py",
    "tests/test_cli.py",
    "tests/execute/test_quiet_notebook.py",
)

NOTEBOOKS = "tests/test_notebook.py"

_BY_FILE = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)  # before xdist's, which acts on the options
def pytest_cmdline_main(config: pytest.Config) -> None:
    if not _is_left_to_us(config):
        return
    if config.option.numprocesses is None and _is_whole(config):
        config.option.numprocesses = PROCESSES
    if config.option.numprocesses:
        config.option.dist = "loadfile"
        config.stash[_BY_FILE] = True


def _is_left_to_us(config: pytest.Config) -> bool:
    """Whether xdist is there, this is none of its processes, and nobody said who runs what."""
    if not config.pluginmanager.has_plugin("xdist") or hasattr(config, "workerinput"):
        return False
    option = config.option
    return option.dist == "no" and not (option.distload or option.tx or option.usepdb)


def _is_whole(config: pytest.Config) -> bool:
    """Whether all tests are asked for, or all of a kind; a cluster wants the machine alone."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return everything and not config.option.keyword and config.option.markexpr != "cluster"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Any:
    if not config.stash.get(_BY_FILE, False):
        return None
    from xdist.scheduler import LoadScopeScheduling

    class LongestFirst(LoadScopeScheduling):
        """Hands out files, whose tests share sessions and servers, those of ``LONGEST`` first."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            # Each notebook has a process of its own anyway.
            return nodeid if file == NOTEBOOKS else file

        def _assign_work_unit(self, node: WorkerController) -> None:
            self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
            super()._assign_work_unit(node)

    return LongestFirst(config, log)


def _rank(file: str) -> int:
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)
