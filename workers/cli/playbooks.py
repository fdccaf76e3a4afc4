"""`perennial playbook …`: playbooks as files, before and as they are brought to customers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from activities.playbooks import PlaybookError, read_playbook
from workers.cli.common import UserError, console
from workers.cli.output import Json, print_json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def playbooks() -> None:
    """Playbooks, what customers are promised: checked, tried on every customer, brought to them."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Playbooks, one YAML file each.")], as_json: Json = False
) -> None:
    """Whether playbooks can be used: every fault by its file and line, and what would be right."""
    found = {file: _fault(file) for file in files}
    if as_json:
        print_json([{"file": str(file), "usable": not said, "faults": said} for file, said in found.items()])
    else:
        for file, said in found.items():
            if not said:
                console.print(f"{file} can be used: {read_playbook(file).named}", highlight=False)
    if faults := [fault for said in found.values() for fault in said]:
        raise UserError("\n".join(faults) if not as_json else f"{len(faults)} faults")


def _fault(file: Path) -> list[str]:
    try:
        read_playbook(file)
    except PlaybookError as error:
        return str(error).splitlines()
    return []
