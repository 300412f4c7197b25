"""Run the notebooks with this interpreter: ``python -m tests.execute_notebook`` keeps outputs.

Those that are named are run, or all: ``python -m tests.execute_notebook notebooks/02*.ipynb``.
``tests/test_notebook.py`` runs them in memory.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
_SECONDS_PER_CELL = 300
_VARIABLES = {
    # Figures go into the notebook, whatever the tests around it have set.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # Their `%pip install` finds everything installed; it must not look for more, nor for news.
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # What belongs to the machine that runs it, or to the moment, is not to be kept.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "PYTHONWARNINGS": "ignore:IProgress not found",
}


def execute(path: Path, given: str = "") -> Any:
    """A copy of the notebook with fresh outputs; the file stays as it is.

    The kernel is this very interpreter, whatever kernels the machine has.

    Args:
        path: the notebook.
        given: code that is run before its first cell, as a platform does.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    notebook = nbformat.read(path, as_version=4)
    if given:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(given))
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "kernels" / "this"
        spec.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (spec / "kernel.json").write_text(
            json.dumps(
                {
                    "argv": command,
                    "display_name": "this",
                    "language": "python",
                    "env": _VARIABLES,
                }
            )
        )
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_name="this", kernel_spec_manager=specs)
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=_SECONDS_PER_CELL,
            resources={"metadata": {"path": folder}},
        )
        client.owns_km = True  # so that the kernel ends with the run
        interrupt = signal.getsignal(signal.SIGINT)
        try:
            return client.execute()
        finally:
            # The client leaves Python's own behind, in place of Spark's.
            signal.signal(signal.SIGINT, interrupt)


def settle(notebook: Any) -> None:
    """Leave of each progress bar only its last state, and no trace of when it ran."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )


def kinds(notebook: Any) -> list[list[str]]:
    """What each code cell of a settled notebook shows, such as text or a figure, without why.

    Numbers differ between machines and times, so they are not in it; nor is what goes to stderr,
    where Java and progress bars say what they like.
    """
    return [
        [_kind(output) for output in cell.outputs if _stream(output) != "stderr"]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _kind(output: Any) -> str:
    return _stream(output) or "+".join(sorted(output.get("data", {"error": None})))


def _merged(outputs: list[Any]) -> list[Any]:
    """One output for what a stream printed in pieces, as a terminal shows it in the end."""
    kept: list[Any] = []
    for output in outputs:
        if kept and _stream(output) is not None and _stream(output) == _stream(kept[-1]):
            kept[-1].text += output.text
        else:
            kept.append(output)
    for output in kept:
        if _stream(output) is not None:
            lines = output.text.split("\n")
            output.text = "\n".join(line.rstrip("\r").split("\r")[-1] for line in lines)
    return [output for output in kept if output.get("text", "-").strip()]


def _stream(output: Any) -> str | None:
    return output.name if output.output_type == "stream" else None


def main() -> None:
    for path in [Path(name) for name in sys.argv[1:]] or NOTEBOOKS:
        notebook = execute(path)
        settle(notebook)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
