"""How large files that trials have attached come from their workers' disks, or do not."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner.execute.spark import JobFailed, _taking
from sparktuner.execute.spark._taking import Taker
from sparktuner.execute.worker import LEFT_PIECE, LeftFile
from sparktuner.execute.worker import _left as worker_left
from sparktuner.status import FailureKind
from tests.fake_transport import FakeTransport

CONTENT = os.urandom(1000) * (5 * LEFT_PIECE // 2000)


class Asked(FakeTransport):
    """Counts what is asked of it; fails as it is told."""

    def __init__(self) -> None:
        super().__init__(abs)
        self.spreads: list[int] = []
        self.answers: Iterator[bytes | JobFailed] = iter(())

    def take(self, request: bytes, tag: str, description: str, spread: int) -> bytes:
        self.spreads.append(spread)
        answer = next(self.answers, None)
        if isinstance(answer, JobFailed):
            raise answer
        return super().take(request, tag, description, spread) if answer is None else answer


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(_taking, "_PAUSE", 0.01)
    monkeypatch.setattr(_taking, "_TRIES", 5)
    monkeypatch.setenv("SPARK_LOCAL_DIRS", f"{tmp_path}/none,{tmp_path}")
    return tmp_path


def left(content: bytes = CONTENT) -> LeftFile:
    file = worker_left.leave(content)
    worker_left.publish(file)
    return file


def taken(transport: FakeTransport, is_cancelled: Any = lambda: False, **files: LeftFile) -> Any:
    taker = Taker(transport, lambda: 3)
    found = {}
    for event in taker.taken(7, "tag", files, is_cancelled):
        assert not isinstance(event.content, bytes)
        with event.content as stream:
            stream.seek(0)
            found[event.name] = stream.read()
    return found


def test_files_come_whole_and_leave_nothing_behind(folder: Path) -> None:
    transport = Asked()
    assert taken(transport, a=left(), b=left(CONTENT[:LEFT_PIECE])) == {
        "a": CONTENT,
        "b": CONTENT[:LEFT_PIECE],
    }
    assert transport.spreads == [3] * 4
    assert not list(folder.iterdir())


def test_a_piece_that_no_task_finds_is_asked_for_again() -> None:
    transport = Asked()
    transport.answers = iter([b"", b"", b""])
    assert taken(transport, a=left()) == {"a": CONTENT}
    assert len(transport.spreads) == 3 + 3


def test_of_tasks_that_look_for_a_piece_on_one_machine_one_has_it() -> None:
    file = left()
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(worker_left.take(file["path"], 0, False)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, found)) == [0] * 7 + [LEFT_PIECE]


def test_what_is_not_found_is_named_in_one_warning_and_the_others_come(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone, cut, whole = left(), left(), left()
    os.unlink(f"{gone['path']}.0")
    os.truncate(f"{cut['path']}.0", 100)
    assert taken(Asked(), gone=gone, cut=cut, whole=whole) == {"whole": CONTENT}
    [message] = caplog.messages
    assert "attachments ['gone', 'cut'] of trial 7 are missing" in message
    assert "its executor is lost" in message


def test_a_job_that_fails_costs_the_file_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transport = Asked()
    transport.answers = iter([JobFailed(FailureKind.WORKER_DIED, "the executor was lost")])
    assert taken(transport, a=left(), b=left()) == {"b": CONTENT}
    assert "['a'] of trial 7 are missing" in caplog.text
    assert "the executor was lost" in caplog.text


def test_a_cancelled_trial_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    transport = Asked()
    assert taken(transport, lambda: len(transport.spreads) == 1, a=left(), b=left()) == {}
    assert len(transport.spreads) == 1
    assert "['a', 'b'] of trial 7 are missing" in caplog.text
    assert "was cancelled" in caplog.text


def test_what_a_killed_process_left_is_removed_by_the_next(folder: Path) -> None:
    program = (
        "import os\n"
        "from sparktuner.execute.worker import _left\n"
        "_left.leave(b'x' * 100)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert len(glob.glob(f"{folder}/*.part")) == 1
    file = worker_left.leave(b"y")  # of this process, which lives
    worker_left.leave(b"z")
    assert len(glob.glob(f"{folder}/*.part")) == 2
    worker_left.forget(file)
    assert len(glob.glob(f"{folder}/*.part")) == 1
