"""One command, run in a process that was forked with everything imported: what a test waits for is the command, not its imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import workers.cli
from workers.cli import common
from workers.cli.commands import COMMANDS
from workers.cli.loading import Unloaded

for loader in COMMANDS:
    Unloaded(loader).load()


def run(arguments: tuple[str, ...], folder: Path, environment: dict[str, str], streams: Path) -> None:
    """Ends this process as `perennial` with `arguments` ends; its three streams are files in `streams`."""
    for number, name, flags in (
        (0, "in", os.O_RDONLY),
        (1, "out", os.O_WRONLY | os.O_CREAT),
        (2, "err", os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(streams / name, flags)
        os.dup2(opened, number)
        os.close(opened)
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        stream = open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
        setattr(sys, name, stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if width := environment.get("COLUMNS"):
        for console in (common.console, common.progress_console):
            console.width = int(width)
    sys.argv = ["perennial", *arguments]
    workers.cli.main()
