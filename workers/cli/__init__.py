"""The command line: `perennial`. One module per group of commands."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import datetime

import typer

from activities.kernel.clock import begin_at
from domain.kernel.base import build_late
from domain.kernel.refusals import Refusal
from workers.cli.commands import COMMANDS
from workers.cli.common import explain
from workers.cli.loading import opened

app = opened(
    typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="What happens to a business customer after the sale, as one durable workflow per customer.",
    ),
    *COMMANDS,
)


_LONG = frozenset({"worker", "up", "demo", "gateway"})
"""Commands that run for long, and better begin whole."""


def main() -> None:
    """Runs the command; an error that people can mend is said in a sentence, not in a traceback."""
    code = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that Temporal's client leaves behind abort the interpreter now and then while it shuts down.
    os._exit(code)


def _run() -> int:
    """The command's exit code."""
    try:
        if not _LONG.intersection(sys.argv[1:2]):
            build_late()
        if given := os.environ.get("PERENNIAL_NOW"):
            begin_at(_instant(given))
        app()
    except KeyboardInterrupt:
        return 130
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:
        said = explain(error)
        if said is None:
            traceback.print_exc()
        else:
            typer.secho(said, err=True, fg=typer.colors.RED)
        return 1
    return 0


def _instant(given: str) -> datetime:
    try:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None:
            raise ValueError("without an offset")
        return at
    except ValueError as error:
        raise Refusal(
            "InvalidTime", f"PERENNIAL_NOW is {given!r}; give an instant such as 2027-01-31T23:30:00+09:00"
        ) from error
