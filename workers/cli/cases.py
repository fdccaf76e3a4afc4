"""`perennial case …`: look up who calls, open cases, look at them, and ask them what their updates allow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from activities.kernel.clock import present
from activities.mail import inbox
from activities.service import case_reports
from domain.frame.case_words import CaseState, Level, Priority
from domain.frame.mail_names import mail_in_words
from domain.kernel.refusals import UNKNOWN_CASE, Refusal
from domain.service.callers import CallAnswer, CustomerView, summary_of
from domain.service.opening import CaseCategory, CaseChannel
from workers.cli.asking import read_fields
from workers.cli.case_files import files
from workers.cli.common import console, facts, waited
from workers.cli.output import Json, cell, day, print_json, show_facts, show_part, show_table, span, words
from workers.cli.servers import By, asker, asking, connections

if TYPE_CHECKING:
    from gateway.cases import CaseClient

app = typer.Typer(no_args_is_help=True)
app.command()(files)

_LINKS = {"follows_id": "follows", "merged_into": "merged into", "parent_id": "part of"}


# Calls


@app.command()
@waited
async def lookup(
    who: Annotated[
        str, typer.Argument(help="A telephone number, a mail address, a part of a name, or an account's id.")
    ],
    country: Annotated[
        str | None, typer.Option(help="Where numbers without a country's code are dialled, such as JP.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Who calls: opens the whole customer, or lists those that it may be."""
    from gateway.calls import CallDesk

    async with connections() as servers:
        answer = await CallDesk(servers.pool, servers.client).look_up(who, country=country)
    if as_json:
        print_json(answer.model_dump(mode="json"))
    elif answer.customer is not None:
        _show_customer(answer, answer.customer)
    elif not answer.callers:
        raise Refusal("UnknownCaller", f"nobody is known by {who!r}; a part of the company's name may do")
    else:
        rows = [(caller.account_id, caller.company, caller.contact_name, caller.by) for caller in answer.callers]
        show_table(("account", "company", "contact", "found by"), rows)


def _show_customer(answer: CallAnswer, view: CustomerView) -> None:
    caller = next((one for one in answer.callers if one.contact_id), None)
    console.print(
        f"[bold]{cell(view.company)}[/bold]  {view.account_id}" + (f"  · {cell(caller.contact_name)}" if caller else "")
    )
    show_facts(summary_of(view), 16)
    for hold in view.holds:
        console.print(f"[dim]{'':>16}[/dim]  {hold.level.value}: {cell(hold.says)}")
    _part(("open case", "priority", "status", "subject", "next promise"), [
        (case.case_id, case.priority, case.status, case.subject,
         f"{words(case.promise or '')} {span(case.due_at - view.as_of)}" if case.due_at else "") for case in view.cases
    ])  # fmt: skip
    _part(("owns", "quantity", "a month", "until"), [
        (line.name, line.quantity, f"{line.mrr:,} {line.currency}" if line.mrr else "", day(line.until)) for line in view.owns
    ])  # fmt: skip
    _part(("next", "what", "why"), [(day(line.at), line.what, line.why) for line in view.next])
    _part(("message", "", "what"), [(day(one.at), one.direction, one.what) for one in view.messages])
    _part(("survey", "score", "comment"), [
        (day(one.at), f"{one.score} of {one.scale}" if one.score is not None else "no answer", one.comment) for one in view.surveys
    ])  # fmt: skip


@app.command()
@waited
async def sales(account: str, as_json: Json = False) -> None:
    """What sales has with a customer: open offers and leads, renewals, purchases, and what was given off."""
    from gateway.both_sides import see_sales

    async with connections() as servers:
        view = await see_sales(servers.pool, account, await servers.client.now(account))
    if as_json:
        print_json(view.model_dump(mode="json"))
        return
    for name in ("offers", "leads", "renewals", "purchases", "discounts"):
        rows: list[dict[str, Any]] = getattr(view, name)
        console.print(f"[bold]{name}[/bold]" if rows else f"[bold]{name}[/bold]  none")
        _part([words(key) for key in rows[0]] if rows else [], [list(row.values()) for row in rows])


# Cases


@app.command("open")
@waited
async def open_case(
    subject: Annotated[str, typer.Option()],
    account: Annotated[str | None, typer.Option()] = None,
    contact: Annotated[str | None, typer.Option(help="A contact of the account.")] = None,
    email: Annotated[str | None, typer.Option(help="Of somebody who is not among the contacts.")] = None,
    phone: Annotated[str | None, typer.Option(help="Of somebody who is not among the contacts.")] = None,
    body: Annotated[str, typer.Option()] = "",
    channel: Annotated[CaseChannel, typer.Option()] = CaseChannel.PHONE,
    category: Annotated[CaseCategory, typer.Option()] = CaseCategory.QUESTION,
    impact: Annotated[Level, typer.Option()] = Level.MEDIUM,
    urgency: Annotated[Level, typer.Option()] = Level.MEDIUM,
    product: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    owner: Annotated[str | None, typer.Option(help="A staff id; by default the rules choose.")] = None,
    case_id: Annotated[str | None, typer.Option("--id", help="Default: made of the time and the subject.")] = None,
    by: Annotated[str, typer.Option(help="An opaque id of who does this.")] = "cli",
) -> None:
    """Opens a case."""
    given: dict[str, Any] = {
        "account_id": account,
        "contact_id": contact,
        "contact": {key: value for key, value in (("email", email), ("phone", phone)) if value} or None,
        "body": body or None,
        "product": product,
        "owner": owner,
    }
    document = {
        "subject": subject,
        "channel": channel.value,
        "category": category.value,
        "impact": impact.value,
        "urgency": urgency.value,
        "by": by,
        **{key: value for key, value in given.items() if value is not None},
    }
    async with connections() as servers:
        opened = await servers.cases.open_case({"case_id": case_id or _new_id(document), **document})
    print_json(opened.model_dump(mode="json"))


def _new_id(document: dict[str, Any]) -> str:
    """An id that no other case has: the second and what the case says."""
    now = present().astimezone()
    return f"C-{now:%y%m%d-%H%M%S}-{hashlib.sha256(repr(document).encode()).hexdigest()[:4]}"


@app.command("list")
@waited
async def list_cases(
    account: Annotated[str | None, typer.Option()] = None,
    status: Annotated[list[CaseState] | None, typer.Option(help="[those that are not over]")] = None,
    priority: Annotated[list[Priority] | None, typer.Option()] = None,
    owner: Annotated[str | None, typer.Option(help="A staff id.")] = None,
    team: Annotated[str | None, typer.Option()] = None,
    escalated: Annotated[bool, typer.Option("--escalated", help="Only those that burn.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Only those with a promise that was broken.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: Json = False,
) -> None:
    """Cases, the next promise first."""
    wanted = case_reports.CaseFilter(
        account_id=account,
        statuses=tuple(one.value for one in status or []),
        priorities=tuple(one.value for one in priority or []),
        owner_id=owner,
        team=team,
        escalated=escalated,
        late=late,
    )
    async with facts() as connection:
        rows = await case_reports.list_cases(connection, wanted, limit)
    if as_json:
        print_json(rows)
        return
    show_table(("!case", "account", "priority", "status", "owner", "subject", "next promise (UTC)"), [
        (row["case_id"], row["account_id"] or "?", row["priority"] + (" !" if row["escalated"] else ""), row["status"],
         row["owner_id"], row["subject"], f"{cell(row['due_at'])} {words(row['promise'])}" if row["due_at"] else "") for row in rows
    ], "No such case; those that are over are asked for by --status, such as --status resolved.")  # fmt: skip


@app.command()
@waited
async def show(case: str, as_json: Json = False) -> None:
    """A case: where it stands, its promises with the time that is left, messages, what happened, and what it holds back."""
    shown = await _read(case)
    if as_json:
        print_json(shown)
        return
    row, now = shown["case"], shown["now"]
    console.print(f"[bold]{cell(row['subject'])}[/bold]  {row['case_id']}")
    show_facts({
        "customer": f"{shown['company'] or 'not known yet'}  {row['account_id'] or ''}",
        "contact": " ".join(str(row["contact"][key]) for key in ("name", "email", "phone") if row["contact"].get(key)),
        "status": f"{row['status']}{', escalated' if row['escalated'] else ''}  {row['status_reason']}",
        "priority": f"{row['priority']}  (impact {row['impact']}, urgency {row['urgency']})",
        "owner": " ".join(part for part in (row["owner_id"], row["team"]) if part) or "nobody yet",
        "policy": f"{row['policy_id'] or 'none'}, by {row['chosen_by']}",
        "resolution": f"{row['resolution_code']}: {row['resolution_text']}" if row["resolution_code"] else "",
        "linked": ", ".join(f"{said} {row[key]}" for key, said in _LINKS.items() if row[key]),
        "sales": ", ".join(f"{hold['level']}: {hold['says']}" for hold in shown["holds"]) or "may call",
    }, 10)  # fmt: skip
    _part(("promise", "due (UTC)", "state", "left"), [
        (words(one["milestone"]), one["due_at"], one["state"], _left(one, now)) for one in shown["milestones"]
    ])  # fmt: skip
    _part(("message (UTC)", "", "who", "text"), [
        (one["at"], one["direction"], _who(one, row["case_id"]), one["body"] or one["subject"]) for one in shown["messages"]
    ])  # fmt: skip
    _part(("event (UTC)", "what", "by"), [(one["at"], words(one["kind"]), one["by"]) for one in shown["events"]])
    _part(
        ("mail beside it (UTC)", "from", "why"),
        [(one["received_at"], one["sender"], one["reason"]) for one in shown["beside"]],
    )


async def _read(case_id: str) -> dict[str, Any]:
    async with connections() as servers, servers.pool.acquire() as connection:
        row = await case_reports.read_case(connection, case_id)
        if row is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}; `perennial case list` shows them")
        now = await _time_of(servers.cases, case_id)
        holds = await case_reports.holds_of_case(connection, row, now)
        return {**row, "now": now, "holds": holds, "beside": await inbox.mails_of_case(connection, case_id)}


async def _time_of(cases: CaseClient, case_id: str) -> datetime:
    """The case's own time; the present for one whose history has gone."""
    from temporalio.service import RPCError

    try:
        return await cases.now(case_id)
    except RPCError:
        return present()


@app.command()
@waited
async def ask(
    case: str,
    update: str,
    fields: Annotated[
        list[str] | None,
        typer.Argument(help="name=value, such as body='We are on it'; one JSON object; @FILE is a request in a file"),
    ] = None,
    by: By = None,
) -> None:
    """Sends an update, such as `perennial case ask C-17 respond body='We are on it'`.

    The whole request may be one JSON object, as in `perennial case ask C-17 resolve '{"code": "fixed", "text": "A new cable"}'`,
    also in a file: `@request.json`.
    """
    from workers.documents import OF_CASE  # the models of all requests

    request = read_fields(fields or [], update, OF_CASE)
    async with connections() as servers:
        async with servers.pool.acquire() as connection:
            said_by = await asker(connection, by)
        if update != "customer_message":
            request = {"by": said_by, **request}
        async with asking(servers, by, "case", case, update, request):
            if update == "customer_message":
                print_json(await servers.cases.customer_message(case, request))
            else:
                print_json(await servers.cases.ask(case, update, request))


# How things are written


def _who(message: dict[str, Any], case_id: str) -> str:
    """Who wrote a message, and in which case if that was merged into this one."""
    who = str(message["sender"] or mail_in_words(message["template"] or ""))
    return who if message["case_id"] == case_id else f"{who} (in {message['case_id']})"


def _left(milestone: dict[str, Any], now: datetime) -> str:
    """How long until a promise is due; empty once it is settled."""
    if milestone["due_at"] is None or milestone["state"] != "open":
        return ""
    return span(milestone["due_at"] - now)


def _part(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    show_part(names, rows, header_style="dim")
