"""The command line: `perennial`. One module per group of commands."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import datetime

import typer

from activities.clock import begin_at
from domain.refusals import Refusal
from workers.cli import (
    assets,
    cases,
    deliveries,
    demo,
    imports,
    journeys,
    keys,
    mails,
    prices,
    processes,
    reports,
    service_reports,
    serving,
    stack,
    staff,
    timelines,
)
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
timelines.register(app)
service_reports.register(reports.app)
serving.register(mails.inbox_app)
app.add_typer(journeys.app, name="journey", help="Look at customers' journeys and move them.")
app.add_typer(assets.app, name="asset", help="What customers own, and why it costs what it costs.")
app.add_typer(cases.app, name="case", help="Service cases: who calls, what is promised, what is asked of them.")
app.add_typer(
    mails.inbox_app,
    name="inbox",
    help="What came by mail: what waits for a person, what machines wrote, and the server that takes it.",
)
app.add_typer(mails.mail_app, name="mail", help="Mail that comes in.")
app.add_typer(keys.app, name="keys", help="The keys by which mails are signed.")
app.add_typer(deliveries.app, name="deliveries", help="What is on its way out: mails, notices, provisioning, webhooks.")
app.add_typer(staff.app, name="staff", help="The seller's people, apart from orders.")
app.add_typer(prices.app, name="price", help="List prices, and what a purchase gives back at them.")
app.add_typer(imports.app, name="import", help="Bring in orders, assets, usage, cases and price pages from files.")
app.add_typer(reports.app, name="report", help="Figures over many customers.")


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
