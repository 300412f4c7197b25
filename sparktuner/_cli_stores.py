"""The commands that look into stores, change them, and move trials between them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sparktuner._cli_arguments import Commands, add_source, positive
from sparktuner._terminal import harmless

# What a command can say in one sentence.
_REFUSALS = (ValueError, ImportError, OSError)
# Pairs of ids in a message.
_SHOWN = 10


def add_store_commands(commands: Commands) -> None:
    """Adds ``show``, ``best``, ``trials``, ``export``, ``import`` and ``delete``."""
    _add_look(commands, "show", "list the experiments of a store")
    _add_look(commands, "best", "print the best trial")
    _add_trials(commands)
    _add_export(commands)
    _add_import(commands)
    _add_delete(commands)


def _stored(options: argparse.Namespace) -> None:
    # On use, here as below: --help shall not wait for numpy.
    from sparktuner import _stored

    source = _stored.Source(options.store, options.file, options.exp_key)
    form = _stored.Form(options.form)
    if options.command == "show":
        _stored.show(source, form)
    elif options.command == "best":
        _stored.best(source, form)
    else:
        _stored.trials(source, form, options.state, options.limit)


def _export(options: argparse.Namespace) -> None:
    from sparktuner import _stored

    source = _stored.Source(options.store, options.file, options.exp_key)
    written = _stored.export(source, options.out, not options.no_attachments)
    print(f"{written} trials are in {harmless(str(options.out))}")


def _import(options: argparse.Namespace) -> None:
    from sparktuner import _stored

    done = _stored.import_trials(options.path, options.store, options.trust_pickle)
    print(harmless(f"{done.trials} trials were imported into {done.where}"))
    if done.known:
        print(f"{done.known} were there already, and were left as they are")
    if done.moved:
        why = "a search runs on the store" if done.is_in_use else "theirs are taken"
        some = [f"{old} -> {new}" for old, new in list(done.moved.items())[:_SHOWN]]
        more = ", …" if len(done.moved) > _SHOWN else ""
        print(harmless(f"{len(done.moved)} have other ids, as {why}: {', '.join(some)}{more}"))


def _delete(options: argparse.Namespace) -> int:
    from sparktuner import _stored

    what = "all trials" if options.exp_key is None else f"the trials of {options.exp_key!r}"
    # A script that waits for an answer would wait for ever.
    if not options.yes and not sys.stdin.isatty():
        print("sparktuner delete: say --yes where nobody can be asked", file=sys.stderr)
        return 2

    def may() -> bool:
        if options.yes:
            return True
        return input(f"Delete {what} for good? [y/N] ").strip().lower() in ("y", "yes")

    source = _stored.Source(options.store, None, options.exp_key)
    return 0 if _stored.delete(source, may) else 1


def _add_look(commands: Commands, name: str, does: str) -> argparse.ArgumentParser:
    look = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}. The exit code is 3 where there is none.",
        epilog=f"example:\n  sparktuner {name} --store sqlite:///tuning.db --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    look.set_defaults(run=_stored, refusals=_REFUSALS, form="table")
    add_source(look)
    form = look.add_mutually_exclusive_group()
    for kind in ("json", "csv"):
        form.add_argument(
            f"--{kind}", dest="form", action="store_const", const=kind, help="for programs"
        )
    return look


def _add_trials(commands: Commands) -> None:
    look = _add_look(commands, "trials", "print a table of trials, the newest last")
    look.add_argument("--limit", type=positive, metavar="N", help="the newest N only")
    states = ("waiting", "running", "done", "failed", "cancelled")
    look.add_argument("--state", choices=states, help="trials in this state only")


_EXPORT_HELP = """\
Write trials into a file, in place of one that is there.

OUT.json has everything, and sparktuner import adds it to a store again: the documents, and the
attachments as the store keeps them, pickles too, which nothing here unpickles. OUT.csv is a
table with the columns of trials.to_pandas(). The exit code is 3 where there are no trials.
"""
_EXPORT_EXAMPLES = """\
examples:
  sparktuner export --store sqlite:///tuning.db tuning.json
  sparktuner export --store sqlite:///tuning.db --exp-key digits digits.csv
"""


def _add_export(commands: Commands) -> None:
    export = commands.add_parser(
        "export",
        help="write trials into a file",
        description=_EXPORT_HELP,
        epilog=_EXPORT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.set_defaults(run=_export, refusals=_REFUSALS)
    add_source(export)
    export.add_argument("out", metavar="OUT", type=_out, help="a file named .json or .csv")
    export.add_argument(
        "--no-attachments", action="store_true", help="leave the attachments out of the JSON"
    )


_IMPORT_HELP = """\
Add trials to a store, which is made if need be.

IN is what sparktuner export has written as JSON, or a trials_save_file. Trials keep their ids
where these are free. A trial that is in the store already, with the same id, experiment and
values, is left as it is, also if an import has given it another id: importing twice doubles
nothing.

With --trust-pickle IN may be a pickle of sparktuner's or Hyperopt's trials. Reading it runs
whatever is in it.
"""
_IMPORT_EXAMPLES = """\
examples:
  sparktuner import tuning.json --store postgresql://tuner@db.example.com/tuning
  sparktuner import trials.pkl --trust-pickle --store sqlite:///tuning.db
"""


def _add_import(commands: Commands) -> None:
    adds = commands.add_parser(
        "import",
        help="add trials of a file to a store",
        description=_IMPORT_HELP,
        epilog=_IMPORT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    adds.set_defaults(run=_import, refusals=_REFUSALS)
    adds.add_argument("path", metavar="IN", type=Path, help="the file")
    adds.add_argument("--store", required=True, metavar="URL", help="of the store")
    adds.add_argument("--trust-pickle", action="store_true", help="unpickle IN if it is a pickle")


def _add_delete(commands: Commands) -> None:
    delete = commands.add_parser(
        "delete",
        help="delete the trials of an experiment, or all",
        description="Delete trials and their attachments for good.",
        epilog="example:\n  sparktuner delete --store sqlite:///tuning.db --exp-key digits --yes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    delete.set_defaults(run=_delete, refusals=_REFUSALS)
    delete.add_argument("--store", required=True, metavar="URL", help="of the store")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument("--exp-key", metavar="K", help="the trials of this experiment")
    which.add_argument("--all", action="store_true", help="all trials of the store")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix not in (".json", ".csv"):
        raise argparse.ArgumentTypeError(f"expected a file named .json or .csv, got {text!r}")
    return path
