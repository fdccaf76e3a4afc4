"""`perennial prune`: deletes what nothing asks for any more, a little at a time."""

from __future__ import annotations

import typer

from activities.kernel.clock import present
from activities.kernel.pruning import forget
from workers.cli.common import console, facts, settings_of, waited

app = typer.Typer()


@app.command()
@waited
async def prune() -> None:
    """Deletes what nothing asks for any more; PERENNIAL_KEEP_EVENTS_DAYS, _USAGE_DAYS, _AUDIT_DAYS, _MAILS_DAYS and _WORDS_DAYS say how long."""
    async with facts() as connection:
        gone = await forget(connection, present(), settings_of(None).keeping())
    console.print(f"forgotten: {', '.join(f'{count:,} {what}' for what, count in gone.items())}")
