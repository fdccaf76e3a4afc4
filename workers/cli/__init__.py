"""The command line: `perennial`. One module per group of commands."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import datetime

import typer

from activities.kernel.clock import begin_at
from domain.kernel.refusals import Refusal
from workers.cli.common import explain
from workers.cli.loading import Place, opened

COMMANDS = {
    "up": Place("stack", "The whole stack in the foreground: PostgreSQL, Temporal with its UI, a mailbox, a worker."),
    "temporal": Place(
        "stack",
        "Temporal's own command line, against the stack of this folder or TEMPORAL_ADDRESS; never any other server.",
    ),
    "demo": Place("demo", "A customer's life before your eyes: 14 months in some seconds, on the real engine."),
    "worker": Place("processes", "A worker for the servers that the environment names."),
    "register": Place("processes", "Registers with Temporal the search attributes that journeys are found by."),
    "migrate": Place("processes", "Brings the database's schema up to date."),
    "doctor": Place("processes", "Says what is reachable, which versions, what is missing and how to mend it."),
    "schema": Place(
        "processes",
        "The JSON Schema of a document that Perennial reads: a file, or the request of an update such as amend_assets.",
    ),
    "timeline": Place("timelines", "A customer's timeline over sales and service, newest first."),
    "journey": Place("journeys", "Look at customers' journeys and move them."),
    "asset": Place("assets", "What customers own, and why it costs what it costs."),
    "case": Place("cases", "Service cases: who calls, what is promised, what is asked of them."),
    "inbox": Place(
        "mails",
        "What came by mail. Without a command: what waits for a person, and what machines wrote within a day.",
        "inbox_app",
    ),
    "mail": Place("mails", "Mail that comes in.", "mail_app"),
    "keys": Place("keys", "The keys by which mails are signed."),
    "deliveries": Place("deliveries", "What is on its way out: mails, notices, provisioning, webhooks."),
    "staff": Place("staff", "The seller's people, apart from orders."),
    "price": Place("prices", "List prices, and what a purchase gives back at them."),
    "import": Place("imports", "Bring in orders, assets, usage, cases and price pages from files."),
    "report": Place("reports", "Figures over many customers."),
}
"""Every command and group, in the order in which help lists them."""

app = opened(
    typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="What happens to a business customer after the sale, as one durable workflow per customer.",
    ),
    COMMANDS,
)


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
