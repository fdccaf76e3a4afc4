"""The command line: `perennial`. One module per group of commands."""

from __future__ import annotations

import sys

import typer

from workers.cli import demo, imports, journeys, processes, stack
from workers.cli.common import explain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What happens to a business customer after the sale, as one durable workflow per customer.",
)
stack.register(app)
demo.register(app)
processes.register(app)
app.add_typer(journeys.app, name="journey", help="Look at customers' journeys and move them.")
app.add_typer(imports.app, name="import", help="Bring in orders and usage from files.")


def main() -> None:
    """Runs the command; an error that people can mend is said in a sentence, not in a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        said = explain(error)
        if said is None:
            raise
        typer.secho(said, err=True, fg=typer.colors.RED)
        sys.exit(1)
