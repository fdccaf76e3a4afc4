"""`perennial prune`: deletes what nothing asks for any more, a little at a time."""

from __future__ import annotations

from datetime import timedelta

import typer

from activities.kernel.clock import present
from activities.kernel.pruning import forget
from workers.cli.common import console, facts, settings_of, waited

app = typer.Typer()


@app.command()
@waited
async def prune() -> None:
    """Deletes events that left long ago and old days of usage; PERENNIAL_KEEP_EVENTS_DAYS and PERENNIAL_KEEP_USAGE_DAYS say how long."""
    settings = settings_of(None)
    events, usage = timedelta(days=settings.keep_events_days), timedelta(days=settings.keep_usage_days)
    async with facts() as connection:
        gone = await forget(connection, present(), events=events, usage=usage)
    console.print(f"forgotten: {' and '.join(f'{count:,} {what}' for what, count in gone.items())}")
