"""Where each command and each group of commands is: imported when it is asked for."""

from __future__ import annotations

import typer

from workers.cli.loading import Loader


def up() -> typer.Typer:
    """The whole stack in the foreground: PostgreSQL, Temporal with its UI, a mailbox, a worker."""
    from workers.cli.stack import app

    return app


def temporal() -> typer.Typer:
    """Temporal's own command line, against the stack of this folder or TEMPORAL_ADDRESS; never any other server."""
    from workers.cli.stack import app

    return app


def demo() -> typer.Typer:
    """A customer's life before your eyes: 14 months in some seconds, on the real engine."""
    from workers.cli.demo import app

    return app


def worker() -> typer.Typer:
    """A worker for the servers that the environment names."""
    from workers.cli.processes import app

    return app


def register() -> typer.Typer:
    """Registers with Temporal the search attributes that journeys are found by, and the Nexus endpoint."""
    from workers.cli.processes import app

    return app


def migrate() -> typer.Typer:
    """Brings the database's schema up to date."""
    from workers.cli.processes import app

    return app


def ready() -> typer.Typer:
    """Says what is missing before work can be done; its exit code is 1 if anything is. For an orchestrator's probes."""
    from workers.cli.processes import app

    return app


def backup() -> typer.Typer:
    """The facts, and of an embedded stack the engine's file as well, into a new folder; everything goes on meanwhile."""
    from workers.cli.backups import app

    return app


def restore() -> typer.Typer:
    """A backup, into a database that is empty: the one that PERENNIAL_DATABASE_DIRECT_URL or PERENNIAL_DATABASE_URL names, else that of a
    stack that is not there yet."""
    from workers.cli.backups import app

    return app


def doctor() -> typer.Typer:
    """Says what is reachable, which versions, what is missing and how to mend it."""
    from workers.cli.processes import app

    return app


def schema() -> typer.Typer:
    """The JSON Schema of a document that Perennial reads: a file, or the request of an update such as amend_assets."""
    from workers.cli.processes import app

    return app


def timeline() -> typer.Typer:
    """A customer's timeline over sales and service, newest first."""
    from workers.cli.timelines import app

    return app


def document() -> typer.Typer:
    """The documents that a customer got; one of them, as a PDF."""
    from workers.cli.papers import app

    return app


def journey() -> typer.Typer:
    """Look at customers' journeys and move them."""
    from workers.cli.journeys import app

    return app


def asset() -> typer.Typer:
    """What customers own, and why it costs what it costs."""
    from workers.cli.assets import app

    return app


def case() -> typer.Typer:
    """Service cases: who calls, what is promised, what is asked of them."""
    from workers.cli.cases import app

    return app


def inbox() -> typer.Typer:
    """What came by mail. Without a command: what waits for a person, and what machines wrote within a day."""
    from workers.cli.mails import inbox_app

    return inbox_app


def gateway() -> typer.Typer:
    """The API for services and the pages for people, over the servers that the environment names."""
    from workers.cli.gateway import app

    return app


def mcp() -> typer.Typer:
    """The tools of agents over the standard streams, by the Model Context Protocol."""
    from workers.cli.agents import app

    return app


def access() -> typer.Typer:
    """Who may come in by the gateway: keys of services, roles of our people, and what was asked there."""
    from workers.cli.access import app

    return app


def mail() -> typer.Typer:
    """Mail that comes in."""
    from workers.cli.mails import mail_app

    return mail_app


def prune() -> typer.Typer:
    """Deletes what nothing asks for any more; PERENNIAL_KEEP_EVENTS_DAYS, _USAGE_DAYS, _AUDIT_DAYS, _MAILS_DAYS and _WORDS_DAYS say how long."""
    from workers.cli.pruning import app

    return app


def erase() -> typer.Typer:
    """A person or a customer goes for good, with a certificate that can be checked."""
    from workers.cli.erasing import app

    return app


def keys() -> typer.Typer:
    """The keys by which mails are signed."""
    from workers.cli.keys import app

    return app


def deliveries() -> typer.Typer:
    """What is on its way out: mails, notices, provisioning, webhooks."""
    from workers.cli.deliveries import app

    return app


def events() -> typer.Typer:
    """What other systems tell: who sends it, what it becomes, and what waits for a person."""
    from workers.cli.events import app

    return app


def staff() -> typer.Typer:
    """The seller's people, apart from orders."""
    from workers.cli.staff import app

    return app


def calendar() -> typer.Typer:
    """The hours in which service's promises count, and days off in them."""
    from workers.cli.calendars import app

    return app


def task() -> typer.Typer:
    """What our people have to do for customers: look at it, and say what becomes of it."""
    from workers.cli.tasks import app

    return app


def price() -> typer.Typer:
    """List prices, and what a purchase gives back at them."""
    from workers.cli.prices import app

    return app


def import_() -> typer.Typer:
    """Bring in orders, assets, usage, cases and price pages from files."""
    from workers.cli.imports import app

    return app


def health() -> typer.Typer:
    """Health scores: why one is what it is, how well they told who left, and profiles fitted to the past."""
    from workers.cli.health import app

    return app


def release() -> typer.Typer:
    """Builds of workers beside each other: which one has the work, and what stays with another."""
    from workers.cli.releases import app

    return app


def playbook() -> typer.Typer:
    """Playbooks, what customers are promised: checked, tried on every customer, brought to them."""
    from workers.cli.playbooks import app

    return app


def report() -> typer.Typer:
    """Figures over many customers."""
    from workers.cli.reports import app

    return app


COMMANDS: tuple[Loader, ...] = (
    *(
        up,
        temporal,
        demo,
        worker,
        gateway,
        mcp,
        register,
        migrate,
        release,
        ready,
        backup,
        restore,
        doctor,
        prune,
        erase,
        schema,
    ),
    *(
        timeline,
        document,
        journey,
        asset,
        case,
        inbox,
        mail,
        keys,
        deliveries,
        events,
        access,
        staff,
        calendar,
        task,
        price,
        import_,
        health,
        report,
        playbook,
    ),
)
"""Every command and group, in the order in which help lists them."""
