"""`perennial journey …`: operators' and rehearsal commands for one customer."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markdown import Markdown
from rich.markup import escape

from activities.frame.customers import zone_of
from activities.journey import reports
from activities.kernel.clock import present
from activities.quotes import things
from domain.frame.keys import Word
from domain.journey.horizon import NEXT, Horizon
from domain.kernel.calendar import MONTHS_IN_YEAR, local_day
from domain.kernel.ids import journey_id
from domain.kernel.short_numbers import spoken
from domain.mail.asks import Question
from domain.mail.message_words import message_in_words
from gateway.here import find_running
from gateway.saved_views import BATCHES, CASES, JOURNEYS, lists_of
from workers.cli.asking import read_fields
from workers.cli.common import UserError, console, progress_console, waited
from workers.cli.explanations import show_explanation
from workers.cli.foresee import show_foresight
from workers.cli.output import Json, day, print_json, show_part, show_table, words
from workers.cli.plans import show_plan
from workers.cli.servers import By, Connections, asker, asking, connections

app = typer.Typer(no_args_is_help=True)

_DURATION = re.compile(r"(\d+)\s*([hdwmy])")
_UNITS = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "m": timedelta(days=30),
    "y": timedelta(days=365),
}
_LONGEST = timedelta(days=36500)
_MOST_DIGITS = 9
_PREFIX = journey_id("")


def read_duration(text: str) -> timedelta:
    """A duration such as `90d`, `2w`, `12h`, `3m` (30 days each) or `1y`, a hundred years at most. Raises UserError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise UserError(f"{text!r} is no duration; give a number with h, d, w, m or y, such as 90d")
    count, unit = found[1], _UNITS[found[2]]
    if len(count) > _MOST_DIGITS or int(count) > _LONGEST // unit:
        raise UserError(f"{text!r} is too long; a clock is moved by a hundred years at most, such as 90d or 10y")
    return int(count) * unit


@app.command("fast-forward")
@waited
async def fast_forward(account: str, duration: str, as_json: Json = False) -> None:
    """Moves one customer's clock, for example `perennial journey fast-forward capricorn-coffee 90d`."""
    by = read_duration(duration)
    async with connections() as servers:
        before = await servers.client.now(account)
        with progress_console.status(f"{account}: from {before:%Y-%m-%d} on …"):
            after = await servers.client.fast_forward(account, by)
        async with servers.pool.acquire() as connection:
            lines = [line for line in await reports.journal_of(connection, account, 0) if line["at"] > before]
            zone = await zone_of(connection, account)
    if as_json:
        moved = {"from": before.isoformat(), "to": after.isoformat()}
        print_json({"account": account, **moved, "steps": len(lines)})
        return
    for line in lines:
        console.print(f"[dim]{local_day(line['at'], zone)}[/dim]  {escape(line['title'])}")
    if after < before + by:
        console.print(f"The journey ended on {after:%Y-%m-%d}.")
    console.print(f"{account} is at {after:%Y-%m-%d %H:%M} UTC now.")


@app.command("list")
@waited
async def list_journeys(
    query: Annotated[str, typer.Option(help="A visibility query, such as AttentionReasons IS NOT NULL.")] = "",
    view: Annotated[str | None, typer.Option(help=f"A list by its name: {', '.join(JOURNEYS)}.")] = None,
    ended: Annotated[bool, typer.Option("--all", help="Those that have ended, too, by their last run.")] = False,
    as_json: Json = False,
) -> None:
    """The journeys that run, or those of them that a query or a list of `perennial journey views` finds."""
    if view is not None and view not in JOURNEYS:
        raise UserError(f"there is no list {view!r}; use one of {', '.join(JOURNEYS)}")
    if view is not None:
        query = " AND ".join(part for part in (JOURNEYS[view].adds(present()), f"({query})" if query else "") if part)
    status = "ExecutionStatus != 'ContinuedAsNew'" if ended else "ExecutionStatus = 'Running'"
    wanted = f"WorkflowType = 'CustomerJourney' AND {status}" + (f" AND ({query})" if query else "")
    rows: dict[str, dict[str, Any]] = {}
    async with connections() as servers:
        async for found in servers.temporal.list_workflows(wanted):  # the latest first
            values = {pair.key.name: pair.value for pair in found.typed_search_attributes}
            run_is = found.status.name.lower() if found.status else ""
            named = {"company": company} if (company := await found.memo_value("account", None)) else {}
            status_of = {"status": run_is} if ended else {}
            rows.setdefault(found.id, {"journey": found.id, **named, **status_of, **values})
    if as_json:
        print_json([*rows.values()])
        return
    names = ("account", "company", *(["status"] if ended else []), "stages", "health", "next", "attention")
    show_table(names, map(_cells, rows.values()), "No journey is found; --all shows those that have ended, too.")


def _cells(row: dict[str, Any]) -> list[Any]:
    return [
        row.get("AccountId", row["journey"].removeprefix(_PREFIX)),
        row.get("company", row.get("Account")),
        *([row["status"]] if "status" in row else []),
        ", ".join(row.get("JourneyStage", [])),
        row.get("HealthBand"),
        day(row.get("NextActionAt")),
        ", ".join(row.get("AttentionReasons", [])),
    ]


@app.command("views")
@waited
async def list_views(
    owner: Annotated[
        str | None, typer.Option(help="Of the customers and cases of one of our people, by their id.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Lists that say who needs somebody now, each with how many it finds and its address in the Temporal UI."""
    if owner is not None and not re.fullmatch(r"[^\s'\"\\]{1,100}", owner):
        raise UserError(f"{owner!r} is nobody's id; `perennial staff list` says them")
    now = present()
    views = {**JOURNEYS, **CASES, **({} if owner else BATCHES)}
    async with connections() as servers:
        running = find_running()
        ui = running.ui_url if running else servers.settings.temporal_ui_url
        lists = lists_of(ui, servers.temporal.namespace) if ui else ""
        found = []
        for name, view in views.items():
            one = view.of(owner) if owner else view
            query = one.query(now)
            count = (await servers.temporal.count_workflows(query)).count
            link = one.link(lists, now) if lists else ""
            found.append({"view": name, "says": one.says, "count": count, "query": query, "link": link})
    if as_json:
        print_json(found)
        return
    show_table(
        ("!view", "of", ">now", "query"), [(one["view"], one["says"], one["count"], one["query"]) for one in found], ""
    )
    for row in found:
        if row["link"]:
            console.print(f"{row['view']:<14}{row['link']}", soft_wrap=True, highlight=False, markup=False)


@app.command()
@waited
async def show(account: str, lines: Annotated[int, typer.Option(min=1)] = 20, as_json: Json = False) -> None:
    """The briefing and the latest lines of the journal, earlier runs included."""
    async with connections() as servers:
        now = await servers.client.now(account)
        briefing = await servers.client.briefing(account)
        async with servers.pool.acquire() as connection:
            latest = await reports.latest_journal(connection, account, lines)
            assets = await reports.assets_of(connection, account)
            numbers = await things.numbers_of(connection, account)
            zone = await zone_of(connection, account)
    if as_json:
        known = {"journal": latest, "assets": assets, "short_numbers": numbers}
        print_json({"account": account, "now": now.isoformat(), "briefing": briefing, **known})
        return
    console.print(Markdown(briefing))
    if numbers:
        named = ", ".join(f"{thing_id} ({number})" for number, thing_id in numbers.items())
        console.print(f"\nIn mails: {escape(named)}", soft_wrap=True)
    console.print()
    for line in reversed(latest):
        console.print(
            f"[dim]{local_day(line['at'], zone)}[/dim]  {Word.parse(line['stage']).word:<12} {escape(line['title'])}"
        )
        for message in line["messages"]:
            console.print(f"{'':<25}[dim]{escape(message_in_words(message, zone))}[/dim]", soft_wrap=True)


@app.command()
@waited
async def service(account: str, by: By = None, as_json: Json = False) -> None:
    """What service has with a customer, for sales: what holds sales back, and the open cases.

    Who looks with --by is told once a case that they saw is over.
    """
    from gateway.both_sides import see_service

    async with connections() as servers:
        async with servers.pool.acquire() as connection:
            seen_by = await asker(connection, by)
        view = await see_service(servers.pool, account, seen_by, await servers.client.now(account))
    if as_json:
        print_json(view.model_dump(mode="json"))
        return
    console.print(f"Sales: {view.level if view.holds else 'may call'}")
    for hold in view.holds:
        console.print(f"  {hold.level.value}: {escape(hold.says)}", soft_wrap=True)
    names = ("case_id", "priority", "state", "owner", "subject", "promised_at")
    show_part([words(name) for name in names], [[case[name] for name in names] for case in view.cases])


@app.command()
@waited
async def plan(
    account: str,
    months: Annotated[
        int | None, typer.Option(min=1, max=240, help="So many months ahead; twelve if nothing else is said.")
    ] = None,
    life: Annotated[bool, typer.Option("--life", help="Until the last of what is sold by now ends.")] = False,
    following: Annotated[
        bool, typer.Option("--next", help="Only the next step of each kind, as the journey has it.")
    ] = False,
    playbook: Annotated[
        Path | None, typer.Option(help="As if they had this playbook from now on: a YAML file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What comes, from what is on record, if nothing is asked and nobody says no: a calendar that touches nothing."""
    if (months is not None) + life + following > 1:
        raise UserError("give --months, --life or --next, not both")
    horizon = NEXT if following else Horizon(months=None if life else months or MONTHS_IN_YEAR, life=life)
    await show_plan(account, horizon, playbook=playbook, as_json=as_json)


@app.command()
@waited
async def explain(
    account: str,
    step: Annotated[
        str | None,
        typer.Argument(help="The key of a step or request, or a part of it; a mail, an invoice, a task by its id."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why something was done or is to come: the rule in words, the playbook, the facts as of then, and who asked."""
    await show_explanation(account, step, as_json=as_json)


@app.command()
@waited
async def foresee(
    account: str,
    horizon: Annotated[str, typer.Argument(help="How far: 12m, 90d, 6w or 2y, by the customer's calendar.")] = "12m",
    as_json: Json = False,
) -> None:
    """Lives what comes on a copy, by the real rules, and touches nobody: `perennial journey foresee capricorn-coffee 12m`."""
    await show_foresight(account, horizon, as_json=as_json)


@app.command()
@waited
async def ask(
    account: str,
    update: str,
    fields: Annotated[
        list[str] | None,
        typer.Argument(help="name=value, such as task=kickoff; a value may be JSON; @FILE is a request in a file"),
    ] = None,
    by: By = None,
) -> None:
    """Sends an update, such as `perennial journey ask capricorn-coffee complete_task task=kickoff`.

    A contract, a quote or an offer can be named by the short number that mails give it: `answer_renewal contract_id=K-1 decision=accept`.

    What has parts is JSON: `amend_assets 'assets=[{"asset_id": "SO-1.1", "add": 10}]'`, or all of it as one object, also in a file: `@request.json`.
    """
    from workers.documents import OF_JOURNEY  # the models of all requests

    await _ask(account, update, read_fields(fields or [], update, OF_JOURNEY), by)


_NAMED = {"contract_id": Question.RENEWAL, "quote_id": Question.QUOTE, "offer_id": Question.OFFER}
"""Fields of requests by which a customer's words may name something."""
_NEW = ("request_quote", "quote_id")
"""This one may name what there is not yet."""


async def _ask(account: str, update: str, request: dict[str, Any], by: str | None) -> None:
    async with connections() as servers:
        request = await _by_own_ids(servers, account, update, request)
        request = {**await _said_by(servers, update, by), **request}
        async with asking(servers, by, "account", account, update, request):
            print_json(await servers.client.ask(account, update, request))


async def _by_own_ids(servers: Connections, account: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request with own ids where it names a contract, a quote or an offer by its short number, as a customer does."""
    found = dict(request)
    for field, question in _NAMED.items():
        name = request.get(field)
        if not isinstance(name, str) or spoken(name) is None or (update, field) == _NEW:
            continue
        async with servers.pool.acquire() as connection:
            own = await things.thing_of(connection, account, name)
            thing = await things.thing_named(connection, account, name) if own is None else None
        if thing is not None and thing.question is question:
            progress_console.print(f"{escape(name)} is {field.removesuffix('_id')} {escape(thing.id)}.")
            found[field] = thing.id
    return found


async def _said_by(servers: Connections, update: str, by: str | None) -> dict[str, str]:
    """Who asks, for requests that say so: an order is taken as it is."""
    from domain.journey.registry import JOURNEY  # loaded when something is asked

    if "by" not in JOURNEY[update].model.model_fields:
        return {}
    async with servers.pool.acquire() as connection:
        return {"by": await asker(connection, by)}


@app.command()
@waited
async def pause(
    account: str,
    reason: str,
    until: Annotated[
        str | None, typer.Option(help="An instant with its offset, such as 2027-03-31T09:00:00+09:00 or with Z.")
    ] = None,
    by: By = None,
) -> None:
    """Nothing is done by itself for this customer until it is resumed."""
    request = {"reason": reason, **({"until": until} if until else {})}
    await _ask(account, "pause", request, by)


@app.command()
@waited
async def resume(account: str, by: By = None) -> None:
    """The customer's agenda goes on; parked steps and stuck deliveries are tried again."""
    await _ask(account, "resume", {}, by)


@app.command()
@waited
async def close(account: str, reason: str, by: By = None) -> None:
    """Ends this customer's journey for good."""
    await _ask(account, "close_journey", {"reason": reason}, by)
