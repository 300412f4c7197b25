"""A session, or its server, that ends in mid-run: one clear error, and all results kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.connect_server import IS_BROUGHT, require_connect_server
from tests.new_process import in_new_process

pytestmark = pytest.mark.spark

PROGRAM = """
import json
from pathlib import Path
from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.errors import SparkUnavailable
from sparktuner.execute.spark.connect import _session as _connect_session
from tests.connect_server import ConnectServer
from tests.leftovers import leaves_nothing

_connect_session._RETRIES = 3  # it gives a server up after two seconds, not twenty
folder = Path({folder!r})
runs = folder / "runs"
runs.mkdir()

def objective(x):
    tid = current_trial().tid
    (runs / f"{{tid}}").touch(exist_ok=False)
    if tid > 2:
        time.sleep(600)
    return x

def interfere():
    while len(list(runs.iterdir())) < 5:
        time.sleep(0.05)
    {end}

{begin}
with leaves_nothing():
    thread = threading.Thread(target=interfere, daemon=True)
    thread.start()
    try:
        fmin(objective, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=9, trials=trials,
             verbose=False, show_progressbar=False)
    except SparkUnavailable as error:
        print(error)
    thread.join(60)  # pyspark does not bear two threads that stop one session
print(json.dumps([[t["tid"], t["state"], t["misc"].get("error", [""])[0],
                   "execution" in t["misc"]] for t in trials.all_trials]))
for use in (active_session, lambda stopped: make_executor(stopped, abs, 1)):
    try:
        use(spark)
        print("usable")
    except SparkUnavailable as error:
        print("refused")
sys.stdout.flush()
os._exit(0)
"""
# These sessions are found by themselves.
LOCAL = """
entered = local_spark(2{options})
spark = entered.__enter__()
trials = SparkTrials(2)
"""
SERVER = """
server = ConnectServer(folder, "local[2]")
spark = server.session()
trials = SparkTrials(2, spark_session=spark)
"""


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(LOCAL.format(options=""), "spark.stop()", id="classic-stop"),
        pytest.param(
            LOCAL.format(options=""),
            "os.kill(spark.sparkContext._gateway.proc.pid, signal.SIGKILL)",
            id="classic-kill",
        ),
        pytest.param(LOCAL.format(options=", connect=True"), "spark.stop()", id="connect-stop"),
        pytest.param(SERVER, "server.kill()", id="connect-kill", marks=pytest.mark.service),
    ],
)
def test_a_session_that_ends_in_mid_run_ends_the_search_and_keeps_its_results(
    begin: str, end: str, tmp_path: Path
) -> None:
    if begin == SERVER or "connect=" in begin:
        require_connect_server()
    if "connect=" in begin and not IS_BROUGHT:
        pytest.skip("a server in this very process needs the jar in pyspark's own folder")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = PROGRAM.format(folder=str(tmp_path), begin=begin, end=end)
    answer = in_new_process(program, {"TMPDIR": str(temporary)})
    assert answer.returncode == 0, answer.stderr
    said, documents, *afterwards = answer.stdout.splitlines()
    assert "Results that came back are kept" in said
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"0", "1", "2", "3", "4"}

    tids, states, errors, placed = zip(*json.loads(documents), strict=True)
    assert tids == (0, 1, 2, 3, 4)
    assert states[:3] == (2, 2, 2)
    assert all(placed[:3])
    # The first to notice fails, and ends the search; the other one may be cancelled by then.
    assert sorted(zip(states[3:], errors[3:], strict=True)) in (
        [(3, "SparkUnavailable"), (3, "SparkUnavailable")],
        [(3, "SparkUnavailable"), (4, "")],
    )
    assert afterwards == ["refused", "refused"]


THREADS = """
import tempfile
from pathlib import Path
from sparktuner import ThreadTrials, fmin, hp, rand
from sparktuner.errors import SparkUnavailable
from tests.connect_server import ConnectServer

{begin}
calls = []
def objective(x):
    calls.append(x)
    if len(calls) == 5:
        {end}
    return float(spark.range(3).count())

trials = ThreadTrials(2, spark_session=spark)
spark.range(3).count()  # what is slow the first time shall not use up the search's time
began = time.monotonic()
try:
    fmin(objective, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=500, trials=trials,
         timeout={timeout}, deadline_margin=None, verbose=False, show_progressbar=False,
         catch_eval_exceptions=True)
except SparkUnavailable as error:
    print(error)
print(time.monotonic() - began < 60, len(trials.all_trials) < 12, len(calls) < 12)
sys.stdout.flush()
os._exit(0)
"""
# The second one has a server to lose.
IN_PROCESS = """
entered = local_spark(2)
spark = entered.__enter__()
"""
ELSEWHERE = """
server = ConnectServer(Path(tempfile.mkdtemp()), "local[2]")
spark = server.session()
"""


def test_thread_trials_on_a_session_that_is_stopped_end_the_search() -> None:
    program = THREADS.format(begin=IN_PROCESS, end="spark.stop()", timeout=None)
    answer = in_new_process(program)
    *said, counts = answer.stdout.splitlines()
    assert "Results that came back are kept" in "".join(said), answer.stderr
    assert counts == "True True True"


@pytest.mark.service
def test_thread_trials_come_back_in_time_from_a_server_that_is_gone() -> None:
    require_connect_server()
    program = THREADS.format(begin=ELSEWHERE, end="server.kill()", timeout=15)
    answer = in_new_process(program)
    *said, counts = answer.stdout.splitlines()
    assert "Results that came back are kept" in "".join(said), answer.stderr
    assert counts == "True True True"


OUTLASTS = """
from pathlib import Path
from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.errors import SparkUnavailable
from tests.connect_server import ConnectServer

folder = Path({folder!r})
server = ConnectServer(folder, "local[2]")
def objective(x):
    if current_trial().tid > 1:
        (folder / "hangs").touch()
        time.sleep(600)
    return x

def end():
    while not (folder / "hangs").exists():
        time.sleep(0.01)
    os.killpg(server._process.pid, signal.{signal})

trials = SparkTrials(2, spark_session=server.session())
search = dict(algo=rand.suggest, trials=trials, verbose=False)
fmin(objective, hp.uniform("x", 0, 1), max_evals=2, **search)  # from here on it is quick
threading.Thread(target=end, daemon=True).start()
began = time.monotonic()
try:
    fmin(objective, hp.uniform("x", 0, 1), max_evals=9, timeout=8, **search)
except SparkUnavailable as error:
    print(error)
print((folder / "hangs").exists(), time.monotonic() - began < 60)
print([t["state"] for t in trials.all_trials])
sys.stdout.flush()
os.killpg(server._process.pid, signal.SIGKILL)
os._exit(0)
"""


@pytest.mark.service
@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP"])
def test_a_server_that_outlasts_the_search_s_timeout_is_said_to_be_gone(
    how: str, tmp_path: Path
) -> None:
    require_connect_server()
    answer = in_new_process(OUTLASTS.format(folder=str(tmp_path), signal=how))
    said, in_time, states = answer.stdout.splitlines()
    assert "Results that came back are kept" in said, answer.stderr
    assert in_time == "True True"
    assert states == "[2, 2, 4, 4]"
