"""`perennial mail receive` and `perennial inbox …`: what customers write, from any mail server, and the mails that wait for a person."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from activities.kernel.clock import present
from activities.mail import inbox as store
from domain.kernel.refusals import UNKNOWN_MAIL, Refusal
from domain.kernel.shown import shorten
from domain.mail.asks import Answered, Ask, ask_of
from domain.mail.reading import InboundMail, read_mail, threads
from domain.mail.routing import InboxStatus
from gateway.reception import keep_mail
from workers.cli.common import UserError, console, database, facts, progress_console, waited
from workers.cli.loading import opened
from workers.cli.output import Json, print_json, show_facts, show_table, table
from workers.cli.servers import Connections, connections

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: mail servers keep the mail and try again."""
_DATABASE_SECONDS = 20
_SUBJECT = 60
"""Characters of a subject in a list."""
_PAGE = 20
"""Rows on a page of what machines wrote."""

if TYPE_CHECKING:
    from gateway.inbound import Inbox

mail_app = typer.Typer(no_args_is_help=True)


def serve() -> typer.Typer:
    """Takes mails to the company's addresses by SMTP, until Ctrl-C; workers read them. PERENNIAL_INBOX_* are its settings."""
    from workers.cli.serving import app

    return app


inbox_app = opened(typer.Typer(), serve)

By = Annotated[str, typer.Option(help="An opaque id of who does this.")]


@mail_app.callback()
def _mail() -> None:
    """Mail that comes in."""


@mail_app.command()
@waited
async def receive(
    file: Annotated[str, typer.Argument(help="A mail as it came (RFC 5322), or - for standard input.")] = "-",
    recipient: Annotated[list[str] | None, typer.Option(help="Whom the envelope names. [Delivered-To]")] = None,
    sender: Annotated[str | None, typer.Option(help='The envelope\'s sender, "" for none. [Return-Path]')] = None,
) -> None:
    """Keeps a mail; a worker takes it to its case. For a mail server to pipe into: exit code 75 asks it to try again later."""
    raw = _content(file)
    try:
        print(await _receive(raw, recipient or [], sender))
    except Exception as error:
        progress_console.print(f"The mail could not be kept: {escape(str(error))}")
        raise typer.Exit(TRY_AGAIN) from error


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error}") from error


@mail_app.command()
def read(
    file: Annotated[str, typer.Argument(help="A mail as it came (RFC 5322), or - for standard input.")] = "-",
    answers: Annotated[
        str | None,
        typer.Option(
            help="What it answers, for a trial: survey:0-10, survey:1-5, quote:Q-7, offer:O-3, renewal:K-1, mail;"
            " an id with its short number: 'renewal:ACME-2027-EMEA (K-1)'."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Says how a mail is read: who wrote it, what it says, which files came along, what it answers and asks. Writes nothing."""
    raw = _content(file)
    try:
        answered = Answered.named(answers) if answers is not None else None
    except ValueError as error:
        raise UserError(f"--answers {error}") from error
    mail = read_mail(raw)
    shown = _shown(mail, ask_of(mail, answered))
    if as_json:
        print_json(shown)
        return
    show_facts(
        {name: _in_words(value) for name, value in shown.items() if name not in ("text", "quoted") and value}, 10
    )
    _show_text(mail)


def _show_text(mail: InboundMail) -> None:
    """What was written, and below it what the mail quotes."""
    console.print()
    console.print(escape(mail.text), soft_wrap=True)
    if mail.quoted:
        console.print(f"[dim]{escape(mail.quoted)}[/dim]", soft_wrap=True)


def _shown(mail: InboundMail, ask: Ask | None) -> dict[str, Any]:
    """A mail as read, for programs: the fields that the help of the command names."""
    bounce = {"address": mail.bounce.recipient, "for_good": mail.bounce.is_for_good} if mail.bounce else None
    return {
        "sender": mail.sender,
        "kind": mail.kind.value,
        "may_answer": mail.may_answer,
        "subject": mail.subject,
        "text": mail.text,
        "quoted": mail.quoted,
        "files": [{"name": file.name, "type": file.media_type, "bytes": file.size} for file in mail.attachments],
        "thread": threads(mail),
        "bounce": bounce,
        "asks": ask.model_dump(mode="json", exclude_none=True) if ask else None,
    }


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values())
    return str(value)


async def _receive(raw: bytes, recipients: list[str], sender: str | None) -> str:
    """Only the database is needed: the workers do the rest."""
    async with database() as pool, asyncio.timeout(_DATABASE_SECONDS):
        return await keep_mail(pool, raw, present(), recipients=recipients, return_path=sender)


@inbox_app.callback(invoke_without_command=True)
def _inbox_today(context: typer.Context) -> None:
    """What came by mail. Without a command: what waits for a person, and what machines wrote within a day."""
    if context.invoked_subcommand is None:
        list_mails(status=None, limit=_PAGE, as_json=False)


@inbox_app.command("list")
@waited
async def list_mails(
    status: Annotated[
        list[InboxStatus] | None,
        typer.Option(help="[unknown and failed: what waits for a person; then what machines wrote within a day]"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """The mails that wait for a person, or those of a status."""
    async with facts() as connection:
        statuses = [one.value for one in status] if status else list(store.WAITING)
        rows = await store.list_mails(connection, statuses, limit)
        counts = await store.count_mails(connection)
        until = present()
        written = await store.machines_mails(connection, until - timedelta(days=1), until, 1, _PAGE)
    if as_json:
        print_json(rows)
        return
    shown = ("sender", "subject", "status", "reason", "account_id", "case_id")
    console.print(
        table(
            ("!mail", "received (UTC)", "from", "subject", "status", "why", "account", "case"),
            [(row["inbox_id"][:14], row["received_at"], *(row[name] for name in shown)) for row in rows],
        )
    )
    console.print(
        ", ".join(f"{counts[status.value]} {status.value}" for status in InboxStatus if status.value in counts)
    )
    if not status:
        console.print("\nMachines, within a day:")
        _show_machines(written, 1, _PAGE)


@inbox_app.command()
@waited
async def machines(
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back; days of 24 hours.")] = 1,
    page: Annotated[int, typer.Option(min=1)] = 1,
    size: Annotated[int, typer.Option(min=1, max=1000, help="Rows on a page.")] = _PAGE,
    as_json: Json = False,
) -> None:
    """What machines wrote: absence notes, automatic replies, delivery reports; who, which kind, and what was done about it."""
    until = present()
    async with facts() as connection:
        rows = await store.machines_mails(connection, until - timedelta(days=days), until, page, size)
    if as_json:
        print_json(rows)
    else:
        _show_machines(rows, page, size)


def _show_machines(rows: list[store.Row], page: int, size: int) -> None:
    """One row for alike mails of a sender."""
    show_table(("last (UTC)", "from", "kind", ">mails", "about", "subject", "done"), [
        (f"{row['latest_at']:%m-%d %H:%M}", row["sender"] or "?", row["kind"], row["mails"], row["account_id"],
         shorten(row["subject"], _SUBJECT), row["done"] or "kept") for row in rows
    ], "Nothing." if page == 1 else "No such page.")  # fmt: skip
    if rows and page < (pages := -(-rows[0]["groups"] // size)):
        console.print(f"Page {page} of {pages}; `perennial inbox machines --page {page + 1}` shows the next one.")


@inbox_app.command()
@waited
async def show(
    mail: str, as_json: Json = False, raw: Annotated[bool, typer.Option(help="As it was received.")] = False
) -> None:
    """One mail: who wrote what, and what became of it. The beginning of its id will do."""
    row = await _found(mail)
    content: bytes = row.pop("raw")
    if raw:
        sys.stdout.buffer.write(content)
        return
    found = read_mail(content, recipients=row["recipients"], return_path=row["return_path"])
    if as_json:
        print_json({**row, "text": found.text, "quoted": found.quoted, "automatic": found.automatic})
        return
    show_facts({
        "mail": row["inbox_id"],
        "received": f"{row['received_at']:%Y-%m-%d %H:%M} UTC",
        "from": f"{found.sender_name} <{found.sender}>",
        "to": ", ".join(found.recipients),
        "subject": found.subject,
        "status": f"{row['status']} {row['reason']}",
        "account": row["account_id"],
        "case": row["case_id"],
        "files": ", ".join(f"{file.name} ({file.size} bytes)" for file in found.attachments),
    }, 9)  # fmt: skip
    _show_text(found)


async def _found(mail: str) -> store.Row:
    async with facts() as connection:
        row = await store.find_mail(connection, mail)
    if row is None:
        raise Refusal(UNKNOWN_MAIL, f"there is no mail {mail!r}, or more than one; `perennial inbox list` shows them")
    return row


@inbox_app.command()
@waited
async def assign(
    mail: str,
    account: Annotated[str | None, typer.Option(help="It opens a case of this account.")] = None,
    case: Annotated[str | None, typer.Option(help="It joins this case.")] = None,
    by: By = "cli",
) -> None:
    """Says whose a mail is."""
    if (account is None) == (case is None):
        raise UserError("give --account ACCOUNT, whose case the mail opens, or --case CASE, which it joins")
    async with connections() as servers:
        joined = await _inbox(servers).assign(mail, account_id=account, case_id=case, by=by)
    console.print(f"The mail is with case {joined}.")


@inbox_app.command()
@waited
async def discard(mail: str, reason: str, by: By = "cli") -> None:
    """Says that a mail needs nothing. It is kept."""
    async with connections() as servers:
        await _inbox(servers).discard(mail, reason, by=by)
    console.print("Discarded; it is kept.")


def _inbox(servers: Connections) -> Inbox:
    from workers.wiring import build_inbox

    return build_inbox(servers.temporal, servers.pool, servers.settings)
