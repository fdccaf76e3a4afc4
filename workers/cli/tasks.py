"""`perennial task …`: what our people have to do for customers; what becomes of it is asked of the customer's journey."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import typer

from activities.journey import task_lists
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.kernel.refusals import UNKNOWN_TASK, Refusal
from domain.kernel.zones import local_time
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, day, minute, print_json, show_facts, show_part, show_table, words
from workers.cli.servers import By, asker, asking, connections

app = typer.Typer(no_args_is_help=True)

TaskId = Annotated[str, typer.Argument(help="As `perennial task list` shows it.", metavar="ID")]
Role = Annotated[
    str | None, typer.Option(help="`manager`, for whoever acts for somebody else and has no part in the customer.")
]
Words = Annotated[str, typer.Option("--reason", help="What whoever has the task is to know.")]


@app.command("list")
@waited
async def list_tasks(
    staff: Annotated[str | None, typer.Argument(help="With --mine: who that is, else PERENNIAL_STAFF.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only what I have to do.")] = False,
    owner: Annotated[str | None, typer.Option(help="Only what this one of our people has to do.")] = None,
    account: Annotated[str | None, typer.Option(help="Only what is to be done for this customer.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only what is late.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """What is to be done, the first due first. A customer whose time was moved counts from the last that happened to them."""
    whose = owner or staff or (by if mine else None)
    if mine and whose is None:
        raise UserError("say who you are: `perennial task list --mine STAFF_ID`, --by or PERENNIAL_STAFF")
    async with facts() as connection:
        if whose is not None:
            await asker(connection, whose)
        rows = await task_lists.list_tasks(connection, present(), whose, account, every, late)
    if as_json:
        print_json([_shown(row) for row in rows])
        return
    names = ("!task", "due", "state", "what", "customer", "owner")
    shown = [
        (row["task_id"], day(row["due"]), _state(row), row["title"], row["company"], row["owner_name"]) for row in rows
    ]
    show_table(names, shown, "nothing is to be done")


@app.command()
@waited
async def show(task_id: TaskId, as_json: Json = False) -> None:
    """A task with its reason, and what became of it until now."""
    async with facts() as connection:
        row = await _one(connection, task_id)
        history = await task_lists.task_history(connection, row["account_id"], task_id)
    if as_json:
        print_json({**_shown(row), "history": history})
        return
    told = ("title", "reason", "state", "account_id", "company", "owner", "owner_name", "opened_at", "due_at",
            "snoozed_until", "reminded_at", "escalated_at", "escalated_to", "reopened_at", "closed_at", "ended_by", "outcome")  # fmt: skip
    show_facts({words(name): _local(row, row[name]) for name in told}, 14)
    show_part(("when", "what", "by"), [(_local(row, one["at"]), one["title"], one["by"]) for one in history])


@app.command()
@waited
async def done(
    task_id: TaskId,
    outcome: Annotated[str, typer.Argument(help="What came of it, in a few words.")],
    role: Role = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """It is done. What only a fact can end is refused, with what to ask instead."""
    await _act("finish_staff_task", task_id, by, role, as_json, outcome=outcome)


@app.command()
@waited
async def snooze(
    task_id: TaskId,
    until: Annotated[str, typer.Argument(help="The day on which it is asked for again, such as 2027-03-19.")],
    reason: Words = "",
    role: Role = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """It rests until a day: nobody is reminded, and it goes to nobody else before."""
    await _act("snooze_staff_task", task_id, by, role, as_json, until=until, reason=reason)


@app.command("hand-over")
@waited
async def hand_over(
    task_id: TaskId,
    to: Annotated[str, typer.Argument(help="Who has it from now on.", metavar="STAFF_ID")],
    reason: Words = "",
    role: Role = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """It goes to somebody else, who hears of it with what is known."""
    await _act("hand_over_staff_task", task_id, by, role, as_json, to=to, reason=reason)


@app.command()
@waited
async def reopen(
    task_id: TaskId,
    reason: Annotated[str, typer.Argument(help="Why it is to be done after all.")],
    due: Annotated[str | None, typer.Option(help="Its new day; in two days if nothing is said.")] = None,
    role: Role = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """It was over, and is open again; what was before stays on record."""
    await _act("reopen_staff_task", task_id, by, role, as_json, reason=reason, **({"due": due} if due else {}))


_SAYS = {"done": "is done", "snoozed": "rests until", "open": "is open, due on"}


async def _act(
    update: Literal["finish_staff_task", "snooze_staff_task", "hand_over_staff_task", "reopen_staff_task"],
    task_id: str,
    by: str | None,
    role: str | None,
    as_json: bool,
    **fields: str,
) -> None:
    if by is None:
        raise UserError("say who does it: --by STAFF_ID, or PERENNIAL_STAFF")
    async with connections() as servers:
        async with servers.pool.acquire() as connection:
            await asker(connection, by)
            account = await task_lists.account_of_task(connection, task_id)
        if account is None:
            raise _unknown(task_id)
        request = {"task_id": task_id, "by": by, **({"role": role} if role else {}), **fields}
        async with asking(servers, by, "account", account, update, request):
            answer = await servers.client.ask(account, update, request)
    if as_json:
        print_json(answer)
        return
    until = {"done": "", "snoozed": answer.get("snoozed_until"), "open": answer["due_at"]}[answer["state"]]
    on = f" {datetime.fromisoformat(until):%Y-%m-%d}" if until else ""
    console.print(f"{task_id} {_SAYS[answer['state']]}{on}; it is {answer['owner']}'s.", highlight=False)


async def _one(connection: Connection, task_id: str) -> dict[str, Any]:
    rows = await task_lists.one_task(connection, present(), task_id)
    if not rows:
        raise _unknown(task_id)
    return rows[0]


def _unknown(task_id: str) -> Refusal:
    return Refusal(UNKNOWN_TASK, f"there is no task {task_id!r}; `perennial task list --all` shows them")


def _state(row: dict[str, Any]) -> str:
    rests = f" until {day(row['snoozed_until'])}" if row["state"] == "snoozed" else ""
    return "late" if row["late"] else f"{words(row['state'])}{rests}"


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("due", "time_zone")}


def _local(row: dict[str, Any], value: Any) -> Any:
    return f"{minute(local_time(value, row['time_zone']))} {row['time_zone']}" if isinstance(value, datetime) else value
